/** A source: the frames of a session over one connection, which is made again whenever it is lost. */

import type { Event } from './view'

export interface SourceHandlers {
  /** Where to resume: the id of the last entry that has come, empty for none. */
  cursor(): string
  frame(id: string, event: Event): void
  /** A connection stands, or is being made again. */
  connected(yes: boolean): void
}

const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 15_000
const PINGS_MISSED = 2
/** Until the server has said how often it pings. */
const PING_MS = 15_000
const MARGIN_MS = 1_000

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

  /** `url` has all but the resume point. */
  constructor(url: string, on: SourceHandlers) {
    this.#url = url
    this.#on = on
    const { signal } = this.#listening
    // A page that slept, or lost its network, may hold a dead connection and not know it.
    addEventListener('online', () => this.reopen(), { signal })
    addEventListener('pageshow', (event) => event.persisted && this.reopen(), { signal })
    document.addEventListener('visibilitychange', () => this.#seen(), { signal })
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
    this.#on.connected(false)
    this.#open()
  }

  #open(): void {
    const url = new URL(this.#url, location.href)
    // Comments never reach a page, so its signs of life have to come as events.
    url.searchParams.set('ping', 'event')
    const cursor = this.#on.cursor()
    if (cursor) url.searchParams.set('lastEventId', cursor)
    const stream = new EventSource(url)
    stream.onopen = () => this.#on.connected(true)
    stream.onmessage = ({ lastEventId, data }: MessageEvent<string>) => {
      this.#alive()
      this.#failures = 0
      this.#on.frame(lastEventId, JSON.parse(data) as Event)
    }
    stream.addEventListener('ping', ({ data }: MessageEvent<string>) => {
      this.#pingMs = Number(data) * 1000 || this.#pingMs
      this.#alive()
    })
    stream.onerror = () => this.#later()
    this.#stream = stream
    this.#alive()
  }

  #drop(): void {
    clearTimeout(this.#retry)
    clearTimeout(this.#watchdog)
    this.#stream?.close()
    this.#stream = null
  }

  #later(): void {
    this.#drop()
    this.#on.connected(false)
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** ++this.#failures)
    const wait = FIRST_WAIT_MS / 2 + Math.random() * (longest - FIRST_WAIT_MS / 2)
    this.#retry = setTimeout(() => this.#open(), wait)
  }

  #alive(): void {
    clearTimeout(this.#watchdog)
    this.#watchdog = setTimeout(() => this.reopen(), PINGS_MISSED * this.#pingMs + MARGIN_MS)
  }

  #seen(): void {
    if (document.visibilityState === 'visible' && !this.#stream) this.reopen()
  }
}
