import type { Answer, ToolCall } from '../rejoin'
import { results } from './turns'

/** Longer arguments and results are folded away. */
const SHORT = 80

interface Props {
  answer: Answer
  /** The generation that goes on with what the tools gave back. */
  next: Answer | undefined
}

/** The tools that the model called in an answer, a quiet line for each, with what they gave back. */
export function Tools({ answer, next }: Props) {
  const calls = answer.toolCalls ?? []
  if (!calls.length) return null
  const given = results(next)
  return (
    <ul className="tools" aria-label="Tools">
      {calls.map((call, index) => (
        <li key={index}><Call call={call} result={given.get(call.callId)} /></li>
      ))}
    </ul>
  )
}

function Call({ call, result }: { call: ToolCall, result: string | undefined }) {
  const args = call.arguments === '{}' ? '' : call.arguments
  const head = <span className="tool">{call.name}</span>
  if (args.length <= SHORT && (result?.length ?? 0) <= SHORT) {
    return (
      <p>
        {head} {args && <code>{args}</code>} {result !== undefined && <span className="result">{result || 'nothing'}</span>}
      </p>
    )
  }
  return (
    <details>
      <summary>{head} {args && args.length <= SHORT && <code>{args}</code>}</summary>
      {args.length > SHORT && <pre tabIndex={0}>{args}</pre>}
      {result !== undefined && <pre className="result" tabIndex={0}>{result}</pre>}
    </details>
  )
}
