import type { Answer } from '../rejoin'

/** What the model thought before it answered, folded away, and for how long: the same for all, whenever they came. */
export function Thinking({ answer }: { answer: Answer }) {
  if (!answer.reasoning) return null
  return (
    <details className="thinking">
      <summary>{heading(answer)}</summary>
      <div className="reasoning">{answer.reasoning}</div>
    </details>
  )
}

function heading({ status, text, thinkingMs }: Answer): string {
  // Not even null: kept by an earlier version of the page.
  const seconds = (thinkingMs ?? NaN) / 1000
  if (status === 'running' && !text) return seconds >= 1 ? `Thinking … ${Math.floor(seconds)} s` : 'Thinking …'
  return Number.isNaN(seconds) ? 'Thoughts' : `Thought for ${seconds.toFixed(1)} s`
}
