import { advice } from '../advice'
import type { Answer } from '../rejoin'

const WHOLE = new Set(['stop', 'end_turn', 'stop_sequence', 'tool_calls', 'tool_use', ''])
const CUT = new Set(['length', 'max_tokens', 'length_cap'])
/** A shorter answer has no pace: it came all at once. */
const PACE_MIN_MS = 100

/** How an answer ended, and its figures. */
export function Ending({ answer }: { answer: Answer }) {
  return (
    <div className="end">
      {answer.status === 'failed' && <p className="failure">{failure(answer)}</p>}
      {answer.status === 'stopped' && <p className="stopped">Stopped. This is what there was until then.</p>}
      {answer.status === 'completed' && <Finish reason={String(answer.end?.finishReason ?? '')} />}
      <p className="figures">{figures(answer).map((figure) => <span key={figure}>{figure}</span>)}</p>
    </div>
  )
}

function Finish({ reason }: { reason: string }) {
  if (WHOLE.has(reason)) return null
  return <p className="stopped">{CUT.has(reason) ? 'Cut off: the answer grew too long.' : `Ended early: ${reason}.`}</p>
}

function failure({ end }: Answer): string {
  return [end?.error ?? 'The answer failed, and nobody said why.', advice(end?.code)].filter(Boolean).join(' ')
}

function figures({ attempt, provider, model, end }: Answer): string[] {
  const told = [provider === model ? model : `${provider} ${model}`]
  if (attempt > 1) told.push(`attempt ${attempt}`)
  const [firstMs, allMs] = [number(end?.ttftMs), number(end?.durationMs)]
  const { asked, answered, unit } = used(end?.usage)
  if (firstMs !== null) told.push(`first ${unit} after ${(firstMs / 1000).toFixed(2)} s`)
  if (answered && firstMs !== null && allMs !== null && allMs - firstMs >= PACE_MIN_MS) {
    told.push(`${(answered / (allMs - firstMs) * 1000).toFixed(0)} ${unit}s/s`)
  }
  if (asked !== null && answered !== null) told.push(`${asked + answered} ${unit}s (${asked} in, ${answered} out)`)
  return told.filter((figure) => figure.trim())
}

/** Vendors name them differently; the demo counts words, and says so. */
function used(usage: unknown): { asked: number | null, answered: number | null, unit: string } {
  const told = (typeof usage === 'object' && usage !== null ? usage : {}) as Record<string, unknown>
  return {
    asked: number(told.prompt_tokens ?? told.input_tokens),
    answered: number(told.completion_tokens ?? told.output_tokens),
    unit: told.estimated ? 'word' : 'token',
  }
}

function number(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}
