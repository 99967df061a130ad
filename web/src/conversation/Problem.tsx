import { advice } from '../advice'
import { Alert } from '../Alert'
import type { Refusal } from '../http'

interface Props {
  error: Refusal
  onWatch(): void
  onStop(): void
  onAgain(): void
  onDismiss(): void
}

/** Why a question was not taken, and what can be done about it. */
export function Problem({ error, onWatch, onStop, onAgain, onDismiss }: Props) {
  if (error.code === 'generation_running') {
    return (
      <Alert text="Another answer is still being written in this conversation. Your question is kept.">
        <button type="button" onClick={onWatch}>Watch</button>
        <button type="button" onClick={onStop}>Stop it</button>
      </Alert>
    )
  }
  return (
    <Alert text={[error.message, advice(error.code)].filter(Boolean).join(' ')}>
      {error.transient && <button type="button" onClick={onAgain}>Try again</button>}
      <button type="button" onClick={onDismiss}>Dismiss</button>
    </Alert>
  )
}
