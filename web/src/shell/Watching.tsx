import { useViewers } from '../hooks/useViewers'

/** How many others read along just now. */
export function Watching({ session, on }: { session: string, on: boolean }) {
  const viewers = useViewers(session, on) ?? 0
  return viewers > 1 && <p className="watching">{viewers} watching</p>
}
