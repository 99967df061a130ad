import { useEffect, useState } from 'react'

import type { Answer } from '../rejoin'

/** What the model thought before it answered, folded away; how long is told where this page has seen it. */
export function Thinking({ answer }: { answer: Answer }) {
  const thinking = answer.status === 'running' && !answer.text
  const seconds = useSeconds(thinking && answer.reasoning !== '')
  if (!answer.reasoning) return null
  const spent = seconds === null ? 'Thoughts' : `Thought for ${seconds} s`
  return (
    <details className="thinking">
      <summary>{thinking ? 'Thinking …' : spent}</summary>
      <div className="reasoning">{answer.reasoning}</div>
    </details>
  )
}

/** How long something went on, once it is over; null for what was over before this page looked. */
function useSeconds(going: boolean): string | null {
  const [span, setSpan] = useState<{ from: number, to: number | null } | null>(null)
  useEffect(() => {
    const now = performance.now()
    setSpan((before) => going ? { from: now, to: null } : before && { ...before, to: before.to ?? now })
  }, [going])
  return span?.to ? ((span.to - span.from) / 1000).toFixed(1) : null
}
