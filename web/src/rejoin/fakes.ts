/** A browser for tests, as far as the client needs one: each part does what the test says, and nothing by itself. */

import { onTestFinished, vi } from 'vitest'

/** One tab: what the client finds in its global scope. Who has entered it last is who acts. */
export class FakeTab extends EventTarget {
  readonly document = Object.assign(new EventTarget(), { visibilityState: 'visible' })

  constructor() {
    super()
    this.enter()
  }

  /** From now on the client's code runs in this tab. */
  enter(): this {
    vi.stubGlobal('document', this.document)
    vi.stubGlobal('addEventListener', this.addEventListener.bind(this))
    return this
  }

  /** What happens to the window: `online`, `offline`, `pagehide`, `pageshow`. */
  happens(type: string, more: object = {}): void {
    this.enter().dispatchEvent(Object.assign(new Event(type), more))
  }

  becomes(visibilityState: 'visible' | 'hidden'): void {
    this.enter().document.visibilityState = visibilityState
    this.document.dispatchEvent(new Event('visibilitychange'))
  }
}

/** Every connection that was asked for, in order; the test is the server. */
export class FakeEventSource extends EventTarget {
  static all: FakeEventSource[] = []
  readonly CLOSED = 2
  readonly url: URL
  readonly withCredentials: boolean
  /** What `fail` with a status would have told, had it been `fetch`. */
  static answer: Response | null = null
  readyState = 0
  closed = false
  onopen: (() => void) | null = null
  onmessage: ((event: { lastEventId: string, data: string }) => void) | null = null
  onerror: (() => void) | null = null

  constructor(url: URL, { withCredentials }: { withCredentials: boolean }) {
    super()
    this.url = url
    this.withCredentials = withCredentials
    FakeEventSource.all.push(this)
  }

  /** The newest connection. */
  static get last(): FakeEventSource {
    return FakeEventSource.all.at(-1)!
  }

  /** Where it resumes; null from the beginning. */
  get resumesAt(): string | null {
    return this.url.searchParams.get('lastEventId')
  }

  close(): void {
    this.closed = true
  }

  open(): void {
    if (!this.closed) this.onopen?.()
  }

  /** A cut. */
  fail(): void {
    if (!this.closed) this.onerror?.()
  }

  /** Every answer but 200, of which EventSource tells no more than that there will be nothing; `fetch` tells all. */
  refuse(status: number, code?: string): void {
    FakeEventSource.answer = new Response(code && JSON.stringify({ error: { code } }), { status })
    this.readyState = this.CLOSED
    this.fail()
  }

  frame(id: string, event: unknown): void {
    this.raw(id, JSON.stringify(event))
  }

  raw(lastEventId: string, data: string): void {
    if (!this.closed) this.onmessage?.({ lastEventId, data })
  }

  ping(everyS: unknown): void {
    if (!this.closed) this.dispatchEvent(Object.assign(new Event('ping'), { data: String(everyS) }))
  }
}

/** All channels of a name hear what one of them says, later and in order. */
export class FakeChannel {
  static all = new Set<FakeChannel>()
  static said: { say: string }[] = []
  readonly name: string
  readonly tab = globalThis.document
  onmessage: ((event: { data: unknown }) => void) | null = null

  constructor(name: string) {
    this.name = name
    FakeChannel.all.add(this)
  }

  postMessage(message: { say: string }): void {
    FakeChannel.said.push(message)
    for (const other of FakeChannel.all) {
      if (other === this || other.name !== this.name) continue
      const data: unknown = structuredClone(message)
      setTimeout(() => FakeChannel.all.has(other) && other.onmessage?.({ data }))
    }
  }

  close(): void {
    FakeChannel.all.delete(this)
  }
}

interface Request {
  name: string
  tab: unknown
  grant(): void
}

/** The locks of all names, in one queue: the first of each name holds it. */
export class FakeLocks {
  #queue: Request[] = []

  request(name: string, { signal }: { signal: AbortSignal }, callback: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => this.#leave(request)
      const request = {
        name,
        tab: globalThis.document,
        grant: () => {
          signal.removeEventListener('abort', refuse)
          void callback().then(resolve, reject).finally(leave)
        },
      }
      const refuse = () => {
        leave()
        reject(new DOMException('', 'AbortError'))
      }
      signal.addEventListener('abort', refuse)
      this.#queue.push(request)
      if (this.#first(name) === request) setTimeout(() => this.#first(name) === request && request.grant())
    })
  }

  /** A tab is gone without a word: the browser takes from it what it held. */
  crash({ document }: FakeTab): void {
    for (const channel of FakeChannel.all) if (channel.tab as unknown === document) channel.close()
    const held = this.#queue.find(({ tab }) => tab === document)
    if (held) this.#leave(held)
  }

  #leave(request: Request): void {
    const led = this.#first(request.name) === request
    this.#queue = this.#queue.filter((each) => each !== request)
    if (led) setTimeout(() => this.#first(request.name)?.grant())
  }

  #first(name: string): Request | undefined {
    return this.#queue.find((each) => each.name === name)
  }
}

/** What a tab or a browser keeps; it can be `full`, or `forbidden`. */
export class FakeStorage {
  readonly items = new Map<string, string>()
  full = false
  forbidden = false

  getItem(key: string): string | null {
    this.#allow()
    return this.items.get(key) ?? null
  }

  setItem(key: string, value: string): void {
    this.#allow()
    if (this.full) throw new DOMException('', 'QuotaExceededError')
    this.items.set(key, value)
  }

  removeItem(key: string): void {
    this.#allow()
    this.items.delete(key)
  }

  clear(): void {
    this.#allow()
    this.items.clear()
  }

  #allow(): void {
    if (this.forbidden) throw new DOMException('', 'SecurityError')
  }
}

/** A browser with one tab, until the test is over; timers wait for `vi.advanceTimersByTimeAsync`. */
export function fakeBrowser() {
  vi.useFakeTimers()
  onTestFinished(() => {
    vi.useRealTimers()
    vi.restoreAllMocks()
    vi.unstubAllGlobals()
  })
  FakeEventSource.all = []
  FakeEventSource.answer = null
  FakeChannel.all.clear()
  FakeChannel.said = []
  const tab = new FakeTab()
  const locks = new FakeLocks()
  const sessionStorage = new FakeStorage()
  vi.stubGlobal('location', { href: 'http://127.0.0.1/' })
  vi.stubGlobal('EventSource', FakeEventSource)
  const fetch = vi.fn(async (_url: URL, _init: RequestInit) => {
    if (!FakeEventSource.answer) throw new TypeError('out of reach')
    return FakeEventSource.answer.clone()
  })
  vi.stubGlobal('fetch', fetch)
  vi.stubGlobal('BroadcastChannel', FakeChannel)
  vi.stubGlobal('navigator', { locks })
  vi.stubGlobal('sessionStorage', sessionStorage)
  return { tab, locks, sessionStorage, fetch }
}
