/** A source: the frames of a session over one connection, which is made again whenever it is lost. */

import { isAfter, type Event } from './view'

export interface SourceHandlers {
  /** Where to resume: the id of the last entry that has come, empty for none. */
  cursor(): string
  frame(id: string, event: Event): void
  /** A connection stands; or it is in doubt, or being made again. */
  connected(yes: boolean): void
}

const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 15_000
const PINGS_MISSED = 2
/** Until the server has said how often it pings. */
const PING_MS = 15_000
const MARGIN_MS = 1_000
/** What a timer can hold; a longer one would ring at once. A server may be told to ping once a year. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/**
 * Frames from a cursor on, until `close`.
 *
 * EventSource's own return is not used: after 4xx, 5xx and 204 it has none, it keeps an id that a reset has voided, and
 * a thousand pages that lost the same server would all come back in the same second.
 */
export class Source {
  readonly #url: string
  readonly #on: SourceHandlers
  readonly #listening = new AbortController()
  #stream: EventSource | null = null
  #retry: ReturnType<typeof setTimeout> | undefined
  #watchdog: ReturnType<typeof setTimeout> | undefined
  #pingMs = PING_MS
  #failures = 0
  /** When there was a sign of life last, by the clock of the day. */
  #heardAt = 0
  /** What was told last: whether a connection stands. */
  #stands = false
  /** The resume point after which a frame came broken. */
  #brokenAfter: string | null = null

  /** `url` has all but the resume point. */
  constructor(url: string, on: SourceHandlers) {
    this.#url = url
    this.#on = on
    const { signal } = this.#listening
    // The browser's word on the network is no proof: a server on this machine is still there. What comes in is one.
    addEventListener('offline', () => this.#tell(false), { signal })
    addEventListener('online', () => this.#hurry(), { signal })
    document.addEventListener('visibilitychange', () => this.#hurry(), { signal })
    this.#open()
  }

  /** End it; nothing is told afterwards. */
  close(): void {
    this.#listening.abort()
    this.#drop()
  }

  /** Connect anew, now. */
  reopen(): void {
    this.#drop()
    this.#tell(false)
    this.#open()
  }

  #open(): void {
    const url = new URL(this.#url, location.href)
    // Comments never reach a page, so its signs of life have to come as events.
    url.searchParams.set('ping', 'event')
    const cursor = this.#on.cursor()
    if (cursor) url.searchParams.set('lastEventId', cursor)
    const stream = new EventSource(url)
    let pings = 0
    stream.onopen = () => this.#alive()
    stream.onmessage = ({ lastEventId, data }: MessageEvent<string>) => {
      this.#alive()
      this.#failures = 0
      const event = parsed(lastEventId, data)
      if (event) this.#on.frame(lastEventId, event)
      else this.#broken()
    }
    stream.addEventListener('ping', ({ data }: MessageEvent<string>) => {
      this.#pingMs = Number(data) * 1000 || this.#pingMs
      this.#alive()
      // The first one comes with the connection, even from a server that is about to fall over again.
      if (pings++) this.#failures = 0
    })
    stream.onerror = () => this.#later()
    this.#stream = stream
    this.#watch()
  }

  #drop(): void {
    clearTimeout(this.#retry)
    clearTimeout(this.#watchdog)
    this.#stream?.close()
    this.#stream = null
  }

  #later(): void {
    this.#drop()
    this.#tell(false)
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** ++this.#failures)
    const wait = FIRST_WAIT_MS / 2 + Math.random() * (longest - FIRST_WAIT_MS / 2)
    this.#retry = setTimeout(() => this.#open(), wait)
  }

  #alive(): void {
    this.#heardAt = Date.now()
    if (!this.#stands) this.#tell(true)
    this.#watch()
  }

  #watch(): void {
    clearTimeout(this.#watchdog)
    const patience = Math.min(PINGS_MISSED * this.#pingMs + MARGIN_MS, LONGEST_TIMER_MS)
    this.#watchdog = setTimeout(() => this.reopen(), patience)
  }

  /** The network is back, or the reader: a good moment to try, unless the connection has proved to live. */
  #hurry(): void {
    if (document.visibilityState !== 'visible') return
    // In a page that slept no timer ran, but the clock went on: whoever was silent for so long is most likely gone.
    const silentMs = Date.now() - this.#heardAt
    if (!this.#stands || silentMs > this.#pingMs + MARGIN_MS) this.reopen()
  }

  /** What was garbled on its way comes whole the next time; what is written so is passed over then. */
  #broken(): void {
    const cursor = this.#on.cursor()
    if (cursor === this.#brokenAfter) return
    this.#brokenAfter = cursor
    this.#later()
  }

  #tell(stands: boolean): void {
    this.#stands = stands
    this.#on.connected(stands)
  }
}

/** The event of a frame; null for what no log holds: an id that is none, or data that is no event. */
function parsed(id: string, data: string): Event | null {
  try {
    // Throws for an id that is none.
    if (id) isAfter(id, '')
    const event: unknown = JSON.parse(data)
    return typeof event === 'object' && event ? event as Event : null
  } catch {
    return null
  }
}
