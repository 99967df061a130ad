import { useMemo, useState } from 'react'

import { Alert } from '../Alert'
import { Composer } from '../composer/Composer'
import { Models } from '../composer/Models'
import { useAsk } from '../hooks/useAsk'
import { useDraft } from '../hooks/useDraft'
import { useFollow } from '../hooks/useFollow'
import { useLatest } from '../hooks/useLatest'
import { useModels } from '../hooks/useModels'
import { useRemembered } from '../hooks/useRemembered'
import { useSession } from '../hooks/useSession'
import { useStop } from '../hooks/useStop'
import { useViewers } from '../hooks/useViewers'
import { last, type Answer } from '../rejoin'
import { Announcer } from './Announcer'
import { Problem } from './Problem'
import { Status } from './Status'
import { Turn } from './Turn'
import { continued, firstInSight, turns } from './turns'

interface Props {
  id: string
  /** Answers are asked for, and shown, as a whole. */
  whole: boolean
  onWhole(whole: boolean): void
  onShare: ((what: { generation: number }) => void) | undefined
}

interface Edited {
  answer: Answer
  /** What was being written before. */
  draft: string
}

/** One session: its turns, and the next question. */
export function Conversation({ id, whole, onWhole, onShare }: Props) {
  const { view, connection } = useSession(id)
  const choice = useModels()
  const asking = useAsk(view)
  const stopping = useStop(id)
  const { following, jump } = useFollow()
  const [draft, setDraft] = useDraft(id)
  const [editing, setEdited] = useState<Edited | null>(null)
  const shown = useMemo(() => turns(view), [view])
  const next = useMemo(() => continued(shown), [shown])
  const first = firstInSight(shown)
  const viewers = useViewers(id, connection === 'live' && shown.length > 0)
  const youngest = last(view)
  const running = youngest?.status === 'running' ? youngest : undefined
  // Where the conversation has gone on elsewhere meanwhile, what was being edited is a new question.
  const edited = editing?.answer.generation === youngest?.generation ? editing : null
  useRemembered(id, shown)

  const { provider, model } = choice
  const send = (prompt: string, replaced: Answer | null) => {
    jump()
    asking.ask({
      sessionId: id,
      prompt,
      ...(provider && { provider, model }),
      ...(replaced && { replaces: replaced.generation }),
      stream: !whole,
    }, () => {
      // The reader may have typed on while the question was on its way.
      setDraft((draft) => draft === prompt ? edited?.draft ?? '' : draft)
      setEdited(null)
    })
  }
  const again = useLatest((answer: Answer) => send(answer.prompt, answer))
  const edit = useLatest((answer: Answer) => {
    setEdited({ answer, draft })
    setDraft(answer.prompt)
  })

  // An error about an answer that ran no longer holds when that has ended.
  const { error } = asking
  const outdated = error?.code === 'generation_running' && view.answers.get(error.generation)?.end
  return (
    <>
      <main>
        {shown.map((answer) => (
          <Turn key={answer.generation} answer={answer} next={next.get(answer.generation)}
            last={answer === youngest} near={answer.generation >= first} whole={whole}
            onEdit={edit} onAgain={again} onShare={onShare} />
        ))}
        {shown.length === 0 && connection === 'live' && <Hint />}
      </main>
      <footer>
        {!following && <button type="button" className="jump" onClick={jump}>Jump to the end</button>}
        {error && !outdated && (
          <Problem error={error} onAgain={asking.again} onDismiss={asking.dismiss}
            onWatch={() => {
              asking.dismiss()
              jump()
            }}
            onStop={() => {
              asking.dismiss()
              stopping.stop(error.generation)
            }}
          />
        )}
        {stopping.error && running && <Alert text={`That could not be stopped. ${stopping.error.message}`} />}
        {asking.retrying && <p className="waiting">The server is not ready. Trying again …</p>}
        <Composer draft={draft} onDraft={setDraft} sending={asking.pending} editing={edited !== null}
          onSend={() => send(draft, edited?.answer ?? null)}
          onCancel={() => {
            setEdited(null)
            setDraft(edited?.draft ?? '')
          }}
          onStop={running && (() => stopping.stop(running.generation))}
          stopping={running !== undefined && stopping.generation === running.generation}
        >
          <Models {...choice} />
          <label className="switch">
            <input type="checkbox" role="switch" checked={whole}
              onChange={({ target }) => onWhole(target.checked)} />
            Without streaming
          </label>
        </Composer>
        <Status connection={connection} viewers={viewers} demo={provider === 'demo'} />
        <Announcer answer={youngest} live={connection === 'live'} />
      </footer>
    </>
  )
}

function Hint() {
  return (
    <div className="hint">
      <h2>What would you like to know?</h2>
      <p>Refresh, leave, or open this address somewhere else: the answer goes on, and you find all of it.</p>
    </div>
  )
}

