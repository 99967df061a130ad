import type { Connection } from '../rejoin'

const STATES: Record<Connection, string> = {
  connecting: 'Connecting …',
  'catching up': 'Catching up …',
  live: 'Connected',
  reconnecting: 'Reconnecting …',
  paused: 'Paused',
  ended: 'Complete',
  unauthorized: 'Not signed in',
}

interface Props {
  connection: Connection
  viewers: number | undefined
  demo: boolean
}

/** What is true just now: how the page is connected, how many read along, whether a model answers at all. */
export function Status({ connection, viewers, demo }: Props) {
  return (
    <div className="status">
      <p role="status" data-connection={connection}>{STATES[connection]}</p>
      {viewers !== undefined && viewers > 0 && <p>{viewers === 1 ? '1 viewer now' : `${viewers} viewers now`}</p>}
      {demo && <p title="A fixed text answers, and no language model.">Demo model</p>}
    </div>
  )
}
