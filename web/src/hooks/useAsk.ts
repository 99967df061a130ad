import { useMutation } from '@tanstack/react-query'
import { useCallback, useEffect, useState } from 'react'

import { ask, type Question } from '../api'
import { Refusal } from '../http'
import type { View } from '../rejoin'

export interface Asking {
  /** A question is on its way, and neither the server nor the log has told of it yet. */
  pending: boolean
  /** It is being sent once more. */
  retrying: boolean
  error: Refusal | null
  /** Ask; `accepted` is called once it is certain that the question was taken. */
  ask(question: Question, accepted: () => void): void
  /** Send the last question once more. */
  again(): void
  dismiss(): void
}

interface Sent {
  question: Question
  /** The youngest generation when it was sent. */
  after: number
  accepted(): void
}

/** Ask questions in a session. The log counts as a reply: the server's own may be late, lost, or long in coming. */
export function useAsk(view: View): Asking {
  const [sent, setSent] = useState<Sent | null>(null)
  const { mutate, reset, variables, error, isPending, failureCount } = useMutation({
    mutationFn: ({ question }: Sent) => ask(question),
    onSuccess: (_, { accepted }) => {
      setSent(null)
      accepted()
    },
  })
  const send = useCallback((next: Sent) => {
    setSent(next)
    mutate(next)
  }, [mutate])

  const seen = sent !== null && view.current > sent.after
    && view.answers.get(view.current)?.prompt === sent.question.prompt
  useEffect(() => {
    if (!seen) return
    setSent(null)
    sent.accepted()
    reset()
  }, [seen, sent, reset])

  return {
    pending: isPending && sent !== null && !seen,
    retrying: isPending && failureCount > 0,
    error: error instanceof Refusal ? error : null,
    ask: (question, accepted) => send({ question, accepted, after: view.current }),
    again: () => variables && send({ ...variables, after: view.current }),
    dismiss: reset,
  }
}
