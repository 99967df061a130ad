/** A source: the frames of a session over one connection, which is made again whenever it is lost. */

import type { Line } from './connection'
import { refusal } from './refusal'
import { isAfter, text, type Event } from './view'

export interface SourceHandlers {
  /** Where to resume: the id of the last entry that has come, empty for none. */
  cursor(): string
  frame(id: string, event: Event): void
  connected(line: Line): void
  /** The server shows this session no longer, or not to us; why is in the code. It is closed until `retry`. */
  refused(code: string): void
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
  readonly #withCredentials: boolean
  readonly #on: SourceHandlers
  readonly #listening = new AbortController()
  #stream: EventSource | null = null
  #retry: ReturnType<typeof setTimeout> | undefined
  #watchdog: ReturnType<typeof setTimeout> | undefined
  #pingMs = PING_MS
  #failures = 0
  /** When there was a sign of life last, by the clock of the day. */
  #heardAt = 0
  /** What was told last. */
  #line: Line = false
  #asking = new AbortController()
  /** The resume point after which a frame came broken. */
  #brokenAfter: string | null = null

  /** `url` has all but the resume point. */
  constructor(url: string, withCredentials: boolean, on: SourceHandlers) {
    this.#url = url
    this.#withCredentials = withCredentials
    this.#on = on
    const { signal } = this.#listening
    // The browser's word on the network is no proof: a server on this machine is still there. What comes in is one.
    addEventListener('offline', () => this.#isOver || this.#tell(false), { signal })
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

  /** Connect anew after a refusal: at once, but not on and on at the pace of the network. */
  retry(): void {
    if (this.#failures < 2) this.reopen()
    else this.#later()
  }

  #open(): void {
    this.#asking.abort()
    const url = new URL(this.#url, location.href)
    // Comments never reach a page, so its signs of life have to come as events.
    url.searchParams.set('ping', 'event')
    const cursor = this.#on.cursor()
    if (cursor) url.searchParams.set('lastEventId', cursor)
    const stream = new EventSource(url, { withCredentials: this.#withCredentials })
    let pings = 0
    stream.onopen = () => this.#alive()
    stream.onmessage = ({ lastEventId, data }: MessageEvent<string>) => {
      const event = parsed(lastEventId, data)
      if (event?.type === 'unauthorized') {
        this.#failures++
        return this.#refuse(text(event.code))
      }
      this.#alive()
      this.#failures = 0
      if (event) this.#on.frame(lastEventId, event)
      else this.#broken()
    }
    stream.addEventListener('ping', ({ data }: MessageEvent<string>) => {
      this.#pingMs = Number(data) * 1000 || this.#pingMs
      this.#alive()
      // The first one comes with the connection, even from a server that is about to fall over again.
      if (pings++) this.#failures = 0
    })
    stream.onerror = () => {
      const { readyState } = stream
      this.#later()
      if (readyState === stream.CLOSED) void this.#askWhy(url)
    }
    this.#stream = stream
    this.#watch()
  }

  #drop(): void {
    clearTimeout(this.#retry)
    clearTimeout(this.#watchdog)
    this.#asking.abort()
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

  async #askWhy(url: URL): Promise<void> {
    const asking = this.#asking = new AbortController()
    const code = await refusal(url, this.#withCredentials, asking.signal)
    // Meanwhile it may have been tried again.
    if (!asking.signal.aborted && code) this.#refuse(code)
    asking.abort()
  }

  #refuse(code: string): void {
    this.#drop()
    this.#tell(code === 'ended' ? code : 'unauthorized')
    if (code !== 'ended') this.#on.refused(code)
  }

  get #isOver(): boolean {
    return typeof this.#line === 'string'
  }

  #alive(): void {
    this.#heardAt = Date.now()
    if (this.#line !== true) this.#tell(true)
    this.#watch()
  }

  #watch(): void {
    clearTimeout(this.#watchdog)
    const patience = Math.min(PINGS_MISSED * this.#pingMs + MARGIN_MS, LONGEST_TIMER_MS)
    this.#watchdog = setTimeout(() => this.reopen(), patience)
  }

  /** The network is back, or the reader: a good moment to try, unless the connection has proved to live. */
  #hurry(): void {
    if (this.#isOver || document.visibilityState !== 'visible') return
    // In a page that slept no timer ran, but the clock went on: whoever was silent for so long is most likely gone.
    const silentMs = Date.now() - this.#heardAt
    if (!this.#line || silentMs > this.#pingMs + MARGIN_MS) this.reopen()
  }

  /** What was garbled on its way comes whole the next time; what is written so is passed over then. */
  #broken(): void {
    const cursor = this.#on.cursor()
    if (cursor === this.#brokenAfter) return
    this.#brokenAfter = cursor
    this.#later()
  }

  #tell(line: Line): void {
    this.#line = line
    this.#on.connected(line)
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
