import { useState, type FormEvent } from 'react'

import { advice } from '../advice'
import { Alert } from '../Alert'
import { CopyButton } from '../CopyButton'
import { useShares } from '../hooks/useShares'
import { Refusal } from '../http'
import { Modal } from '../Modal'
import { CROSS, Icon } from '../shell/Icon'
import { Links } from './Links'

const DAY_S = 86_400
const TIMES = [['1 hour', 3_600], ['1 day', DAY_S], ['7 days', 7 * DAY_S], ['30 days', 30 * DAY_S]] as const

interface Props {
  session: string
  /** The answer that was pointed at; null for none. */
  generation: number | null
  onClose(): void
}

/** Links by which others may read a conversation, or one answer of it: made, listed, taken back. */
export function Share({ session, generation, onClose }: Props) {
  const { links, share, revoke } = useShares(session)
  const [only, setOnly] = useState(generation)
  const [seconds, setSeconds] = useState<number>(7 * DAY_S)
  const onSubmit = (event: FormEvent) => {
    event.preventDefault()
    if (!share.isPending) share.mutate({ generation: only, seconds })
  }
  const error = share.error ?? links.error
  return (
    <Modal label="Share" onClose={onClose}>
      <form className="card" onSubmit={onSubmit}>
        <div className="top">
          <h2>Share</h2>
          <Icon label="Close" path={CROSS} onClick={onClose} />
        </div>
        <p>Whoever has the link reads along, live, without signing in. They can't ask, stop or delete anything.</p>
        {generation !== null && (
          <fieldset>
            <legend className="unseen">What to share</legend>
            <Choice label="This answer" checked={only !== null} onChoose={() => setOnly(generation)} />
            <Choice label="The whole conversation" checked={only === null} onChoose={() => setOnly(null)} />
          </fieldset>
        )}
        <div className="row">
          <label>
            Expires after{' '}
            <select value={seconds} onChange={({ target }) => setSeconds(Number(target.value))}>
              {TIMES.map(([name, value]) => <option key={value} value={value}>{name}</option>)}
            </select>
          </label>
          <button type="submit" className="send" disabled={share.isPending}>Create link</button>
        </div>
        {error && <Alert text={said(error)} />}
        {share.data && !share.isPending && (
          <div className="made" role="status">
            <label htmlFor="link">The link. It is shown this once: copy it now.</label>
            <input id="link" readOnly value={share.data} onFocus={({ target }) => target.select()} />
            <CopyButton label="Copy link" text={share.data} />
          </div>
        )}
        <Links links={links.data ?? []} revoke={revoke} />
      </form>
    </Modal>
  )
}

function said(error: Error): string {
  const code = error instanceof Refusal ? error.code : ''
  if (code === 'session_not_found') return 'There is nothing to share yet. Ask something first.'
  return [error.message, advice(code)].filter(Boolean).join(' ')
}

function Choice({ label, checked, onChoose }: { label: string, checked: boolean, onChoose(): void }) {
  return (
    <label className="choice">
      <input type="radio" name="what" checked={checked} onChange={onChoose} />
      {label}
    </label>
  )
}
