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
  // Whole seconds while they pass, for figures that flicker are not read. No number: kept by an earlier version.
  const known = typeof thinkingMs === 'number'
  if (status === 'running' && !text) return known ? `Thinking … ${Math.floor(thinkingMs / 1000)} s` : 'Thinking …'
  return known ? `Thought for ${(thinkingMs / 1000).toFixed(1)} s` : 'Thoughts'
}
