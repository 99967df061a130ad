import { startTransition, useEffect, useState, useSyncExternalStore } from 'react'

import { currentLogin, look, renew, subscribe } from '../login'
import { EMPTY, followSession, type Connection, type View } from '../rejoin'

export interface Session {
  view: View
  connection: Connection
  /** Why the link that it is read by is refused; empty while it is good. */
  refused: string
}

/** Follow a session while the component stands, at most once per frame of the screen; by a link, if one is given. */
export function useSession(id: string, share = ''): Session {
  const [view, setView] = useState(EMPTY)
  const [refused, setRefused] = useState('')
  const [connection, setConnection] = useState<Connection>('connecting')
  const { owner } = useSyncExternalStore(subscribe, currentLogin)
  // The fragment stays in the browser: tabs tell each other what they hear where they have the same.
  const url = `/api/consume-stream${owner && !share ? `#${encodeURIComponent(owner)}` : ''}`
  useEffect(() => {
    let newest = EMPTY
    let frame = 0
    let { expiresAt } = currentLogin()
    const show = () => {
      frame = 0
      // Keys and clicks go before words; words that come while these are drawn wait for the next round.
      startTransition(() => setView(newest))
    }
    const following = followSession(url, id, {
      view: (view) => {
        newest = view
        frame ||= requestAnimationFrame(show)
      },
      connection(state) {
        if (state === 'live') ({ expiresAt } = currentLogin())
        // Of several tabs only one is asked to renew; the others see for themselves how it stands.
        if (state === 'unauthorized' && !share) void look()
        setConnection(state)
      },
      async unauthorized(code) {
        if (share) {
          setRefused(code)
          return false
        }
        const renewed = await renew(expiresAt)
        // Should this one be refused as well, the reader is asked.
        ;({ expiresAt } = currentLogin())
        return renewed
      },
    }, { share })
    return () => {
      cancelAnimationFrame(frame)
      following.close()
    }
  }, [id, share, url])
  return { view, connection, refused }
}
