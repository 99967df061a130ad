/** How a session is followed just now, by what is heard of its connection and over it. */

/**
 * `connecting` for the first time, `catching up` with what was missed, `live`, `reconnecting`, or `paused` while the
 * tab is hidden. `ended` when all has been told that there will ever be, `unauthorized` when the server refuses to tell.
 */
export type Connection = 'connecting' | 'catching up' | 'live' | 'reconnecting' | 'paused' | Over

type Over = 'ended' | 'unauthorized'

/** Whether a connection stands; if not it is in doubt, or being made again. Or why there is none, and none is made. */
export type Line = boolean | Over

/** As long without a frame after a connection stands, nothing more is missing … */
const QUIET_MS = 250
/** … and after so long at the latest: an answer that streams on is never quiet. */
const CATCHING_UP_MS = 1_000

/** Tells each state once, when it begins. */
export class ConnectionState {
  readonly #tell: (state: Connection) => void
  #state: Connection = 'connecting'
  #timer: ReturnType<typeof setTimeout> | undefined
  #liveAtMs = 0

  constructor(tell: (state: Connection) => void) {
    this.#tell = tell
  }

  connected(line: Line): void {
    if (typeof line === 'string') return this.#become(line)
    if (!line) return this.#become(this.#state === 'connecting' ? 'connecting' : 'reconnecting')
    if (this.#state === 'live') return
    this.#liveAtMs = performance.now() + CATCHING_UP_MS
    this.#untilQuiet()
  }

  /** A frame has come. */
  heard(): void {
    if (this.#state === 'catching up') this.#untilQuiet()
  }

  paused(): void {
    this.#become('paused')
  }

  /** Nothing is told afterwards. */
  close(): void {
    clearTimeout(this.#timer)
  }

  #untilQuiet(): void {
    this.#become('catching up')
    this.#timer = setTimeout(() => this.#become('live'), Math.min(QUIET_MS, this.#liveAtMs - performance.now()))
  }

  #become(state: Connection): void {
    clearTimeout(this.#timer)
    if (state === this.#state) return
    this.#state = state
    this.#tell(state)
  }
}
