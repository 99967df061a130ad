import { useState } from 'react'

import type { Answer, Status } from '../rejoin'

const SAID: Record<Status, string> = {
  running: 'The answer has begun.',
  completed: 'The answer is complete.',
  stopped: 'The answer was stopped.',
  failed: 'The answer failed.',
}

/** Tells a screen reader that an answer begins and ends: its words, as they come, would only stutter. */
export function Announcer({ answer, live }: { answer: Answer | undefined, live: boolean }) {
  const [begun, setBegun] = useState(0)
  // What is replayed is no news.
  if (live && answer?.status === 'running' && answer.generation !== begun) setBegun(answer.generation)
  return (
    <p className="unseen" aria-live="polite">
      {answer && answer.generation === begun ? SAID[answer.status] : ''}
    </p>
  )
}
