import { startTransition, useEffect, useState } from 'react'

import { EMPTY, followSession, type Connection, type View } from '../rejoin'

export interface Session {
  view: View
  connection: Connection
}

/** Follow a session while the component stands, at most once per frame of the screen. */
export function useSession(id: string): Session {
  const [view, setView] = useState(EMPTY)
  const [connection, setConnection] = useState<Connection>('connecting')
  useEffect(() => {
    let newest = EMPTY
    let frame = 0
    const show = () => {
      frame = 0
      // Keys and clicks go before words; words that come while these are drawn wait for the next round.
      startTransition(() => setView(newest))
    }
    const following = followSession('/api/consume-stream', id, {
      view: (view) => {
        newest = view
        frame ||= requestAnimationFrame(show)
      },
      connection: setConnection,
    })
    return () => {
      cancelAnimationFrame(frame)
      following.close()
    }
  }, [id])
  return { view, connection }
}
