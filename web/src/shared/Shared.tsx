import { useEffect, useState } from 'react'

import type { Link } from '../address'
import { Announcer } from '../conversation/Announcer'
import { Status } from '../conversation/Status'
import { Turn } from '../conversation/Turn'
import { continued, firstInSight, turns } from '../conversation/turns'
import { useFollow } from '../hooks/useFollow'
import { useSession } from '../hooks/useSession'
import { useTitle } from '../hooks/useTitle'
import { useViewers } from '../hooks/useViewers'
import { last } from '../rejoin'

const OVER: Record<string, string> = {
  share_expired: 'This link has expired.',
  share_revoked: 'This link was revoked by whoever shared it.',
  session_not_found: 'This link was revoked, or the conversation was deleted.',
  share_invalid: 'This link is not whole, or was not made here.',
}

/** What somebody has shared: to be read along, live, and nothing else. */
export function Shared({ session, token }: Link) {
  const [over, setOver] = useState('')
  return (
    <div className="page">
      <header>
        <h1>Rejoin</h1>
        <p className="badge">Shared with you, read-only</p>
      </header>
      {over ? <Over text={over} /> : <Reading session={session} token={token} onOver={setOver} />}
    </div>
  )
}

function Over({ text }: { text: string }) {
  return (
    <main>
      <div className="hint" role="alert">
        <h2>{text}</h2>
        <p>Ask whoever sent it to you for another one.</p>
      </div>
    </main>
  )
}

function Reading({ session, token, onOver }: Link & { onOver(text: string): void }) {
  const { view, connection, refused } = useSession(session, token)
  const { following, jump } = useFollow()
  const shown = turns(view)
  const next = continued(shown)
  const first = firstInSight(shown)
  const viewers = useViewers(session, connection === 'live', token)
  useTitle(shown)
  useEffect(() => {
    // Of several tabs, the one that holds the connection knows why.
    if (connection === 'unauthorized') onOver(OVER[refused] ?? 'This link has expired, or was revoked.')
  }, [connection, refused, onOver])
  return (
    <>
      <main>
        {shown.map((answer) => (
          <Turn key={answer.generation} answer={answer} next={next.get(answer.generation)} last={answer === last(view)}
            near={answer.generation >= first} whole={false} />
        ))}
      </main>
      <footer>
        {!following && <button type="button" className="jump" onClick={jump}>Jump to the end</button>}
        <Status connection={connection} viewers={viewers} demo={false} />
        <Announcer answer={last(view)} live={connection === 'live'} />
      </footer>
    </>
  )
}
