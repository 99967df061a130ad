/** The tabs of one session in one browser: one of them leads, and tells the others what it hears. */

import type { Event, View } from './view'

/** What the tabs say to each other. */
type Message =
  | { say: 'frame', log: string, after: string, id: string, event: Event }
  | { say: 'view', log: string, to: string, view: View, connected: boolean }
  | { say: 'connected', yes: boolean }
  | { say: 'hello', from: string }

export interface TabHandlers {
  view(): View
  /** This tab leads now, until the signal. */
  lead(until: AbortSignal): void
  /** The leader has heard a frame that follows on what this tab holds. */
  frame(id: string, event: Event): void
  /** The leader's view, in place of this tab's. */
  adopt(view: View): void
  connected(yes: boolean): void
  /** Hidden: this tab hears nothing until it is shown again. */
  paused(): void
}

/** How long a tab may be hidden before it lets go: a look at another tab and back costs nothing. */
const HIDDEN_MS = 10_000

/**
 * One connection per session and browser: whoever holds the session's lock leads. A leader that closes, crashes or is
 * hidden for long lets the lock go, and the browser hands it to the next tab at once. Where the browser has no Web
 * Locks (plain HTTP off localhost), each tab leads for itself.
 */
export class Tabs {
  readonly #name: string
  readonly #on: TabHandlers
  readonly #me = random()
  readonly #closing = new AbortController()
  #channel: BroadcastChannel | null = null
  #standing: AbortController | null = null
  #leads = false
  /** Which log the leader tells of: another one after each reset, so that no tab holds on to what was voided. */
  #log = ''
  #connected = false
  #hiding: ReturnType<typeof setTimeout> | undefined

  constructor(name: string, on: TabHandlers) {
    this.#name = name
    this.#on = on
    const { signal } = this.#closing
    document.addEventListener('visibilitychange', () => this.#seen(), { signal })
    // A page that may come back by the Back button must not keep the lock while it sleeps.
    addEventListener('pagehide', () => this.#stepBack(), { signal })
    addEventListener('pageshow', ({ persisted }) => persisted && this.#stand(), { signal })
    if (document.visibilityState === 'visible') this.#stand()
    else on.paused()
  }

  close(): void {
    clearTimeout(this.#hiding)
    this.#closing.abort()
    this.#stepBack()
  }

  /** As the leader: tell a frame that has come after `after`. */
  tell(after: string, id: string, event: Event): void {
    if (event.type === 'reset') this.#log = random()
    this.#say({ say: 'frame', log: this.#log, after, id, event })
  }

  /** As the leader: tell how the connection is. */
  tellConnected(yes: boolean): void {
    this.#connected = yes
    this.#say({ say: 'connected', yes })
  }

  /** As the leader: the others are to hold what this tab holds. */
  tellView(to = ''): void {
    this.#say({ say: 'view', log: this.#log, to, view: this.#on.view(), connected: this.#connected })
  }

  #stand(): void {
    if (this.#standing) return
    const standing = new AbortController()
    this.#standing = standing
    if (!navigator.locks || typeof BroadcastChannel === 'undefined') {
      this.#on.lead(standing.signal)
      return
    }
    this.#channel = new BroadcastChannel(this.#name)
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => this.#hear(data)
    this.#say({ say: 'hello', from: this.#me })
    navigator.locks.request(this.#name, { signal: standing.signal }, () => this.#lead(standing.signal)).catch(() => {
      // Stepped back before its turn came.
    })
  }

  #lead(until: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (until.aborted) return resolve()
      until.addEventListener('abort', () => resolve(), { once: true })
      this.#leads = true
      this.#log = random()
      this.tellView()
      this.#on.lead(until)
    })
  }

  #stepBack(): void {
    if (!this.#standing) return
    this.#leads = this.#connected = false
    this.#standing.abort()
    this.#standing = null
    this.#channel?.close()
    this.#channel = null
    this.#on.paused()
  }

  #seen(): void {
    clearTimeout(this.#hiding)
    if (document.visibilityState === 'visible') this.#stand()
    else this.#hiding = setTimeout(() => this.#stepBack(), HIDDEN_MS)
  }

  #say(message: Message): void {
    this.#channel?.postMessage(message)
  }

  #hear(message: Message): void {
    if (message.say === 'hello') {
      if (this.#leads) this.tellView(message.from)
    } else if (this.#leads) {
      // What a leader before this one has still said.
    } else if (message.say === 'connected') {
      this.#on.connected(message.yes)
    } else if (message.say === 'view') {
      if (message.to && message.to !== this.#me) return
      this.#log = message.log
      this.#on.adopt(message.view)
      this.#on.connected(message.connected)
    } else if (message.log !== this.#log || message.after !== this.#on.view().cursor) {
      // Something was missed while this tab slept, or another tab has begun to lead.
      this.#say({ say: 'hello', from: this.#me })
    } else {
      this.#on.frame(message.id, message.event)
    }
  }
}

/** `crypto.randomUUID` is not there on plain HTTP. */
function random(): string {
  return crypto.getRandomValues(new Uint32Array(2)).join('-')
}
