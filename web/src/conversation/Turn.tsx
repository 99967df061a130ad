import { memo } from 'react'

import { Answer } from '../answer/Answer'
import { CopyButton } from '../CopyButton'
import type { Answer as Told } from '../rejoin'
import { Ending } from './Ending'
import { Thinking } from './Thinking'
import { Tools } from './Tools'

interface Props {
  answer: Told
  /** The one that goes on with what the tools of this one gave back. */
  next?: Told | undefined
  /** The youngest turn: the only one that can be asked anew. */
  last: boolean
  /** It is likely to be in sight from the beginning. */
  near: boolean
  /** The words are kept back until the answer is whole. */
  whole: boolean
  /** These are missing where the reader may only read. */
  onEdit?: ((answer: Told) => void) | undefined
  onAgain?: ((answer: Told) => void) | undefined
  onShare?: ((what: { generation: number }) => void) | undefined
}

/** One question and its answer. Only the turn that has changed is drawn again. */
export const Turn = memo(function Turn({ answer, next, last, near, whole, onEdit, onAgain, onShare }: Props) {
  const { generation, attempt, status, prompt, text } = answer
  const running = status === 'running'
  const hidden = running && whole
  // It goes on with the answer above it: there is no question to show, or to ask anew.
  const goesOn = answer.continues !== undefined
  return (
    <article data-generation={generation} data-status={status} data-attempt={attempt}
      aria-label={`Turn ${generation}`} aria-busy={running}>
      {!goesOn && (
        <div className="asked">
          <div className="prompt">{prompt}</div>
          {last && !running && onEdit && (
            <button type="button" className="quiet" onClick={() => onEdit(answer)}>Edit question</button>
          )}
        </div>
      )}
      {!hidden && <Thinking answer={answer} />}
      <Answer text={hidden ? '' : text} growing={running} finished={status === 'completed'} near={near} />
      {!hidden && <Tools answer={answer} next={next} />}
      {hidden && <p className="waiting">Waiting for the whole answer …</p>}
      {!running && <Ending answer={answer} />}
      {!running && (
        <div className="actions">
          {text && <CopyButton label="Copy answer" text={text} />}
          {onShare && <button type="button" className="quiet" onClick={() => onShare({ generation })}>Share answer</button>}
          {last && !goesOn && onAgain && <Again answer={answer} onAgain={onAgain} />}
        </div>
      )}
    </article>
  )
})

/** What failed may be retried only where that can help. */
function Again({ answer, onAgain }: { answer: Told, onAgain(answer: Told): void }) {
  const failed = answer.status === 'failed'
  if (failed && answer.end?.retryable !== true) return null
  return (
    <button type="button" className="quiet" onClick={() => onAgain(answer)}>{failed ? 'Retry' : 'Regenerate'}</button>
  )
}
