import { useEffect, useRef, type FormEvent, type KeyboardEvent, type ReactNode } from 'react'

interface Props {
  draft: string
  onDraft(draft: string): void
  onSend(): void
  /** A question is on its way. */
  sending: boolean
  /** The last question is being edited, and the draft is its new text. */
  editing: boolean
  onCancel(): void
  /** Undefined while nothing runs. */
  onStop: (() => void) | undefined
  stopping: boolean
  /** How to ask: the model, and whether to stream. */
  children: ReactNode
}

/** Where a question is written and sent, and what runs is stopped. */
export function Composer(props: Props) {
  const { draft, onDraft, onSend, sending, editing, onCancel, onStop, stopping, children } = props
  const field = useRef<HTMLTextAreaElement>(null)
  const blank = !draft.trim()
  useEffect(() => {
    if (editing || hasKeys()) field.current?.focus()
  }, [editing])

  const onSubmit = (event: FormEvent) => {
    event.preventDefault()
    if (blank || sending) return
    onSend()
    // The button can't keep the focus: it waits for the next question.
    if (hasKeys()) field.current?.focus()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && editing) onCancel()
    // While an input method composes, Enter takes its suggestion and must not send.
    if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) onSubmit(event)
  }
  return (
    <form className="composer" onSubmit={onSubmit}>
      {editing && (
        <div className="editing">
          <p>Editing your last question</p>
          <button type="button" className="quiet" onClick={onCancel}>Cancel</button>
        </div>
      )}
      <label htmlFor="question" className="unseen">Your question</label>
      <textarea id="question" ref={field} rows={2} placeholder="Ask something" aria-describedby="keys"
        value={draft} onChange={({ target }) => onDraft(target.value)} onKeyDown={onKeyDown} />
      <div className="row">
        {children}
        <span id="keys">Enter sends, Shift+Enter makes a new line</span>
        <span className="go">
          {onStop && <button type="button" disabled={stopping} onClick={onStop}>Stop</button>}
          <button type="submit" className="send" disabled={blank || sending}>Send</button>
        </span>
      </div>
    </form>
  )
}

/** Else the focus would bring up a keyboard on the screen, over half of the conversation. */
function hasKeys(): boolean {
  return matchMedia('(pointer: fine)').matches
}
