/** The tabs of one session in one browser: one of them leads, and tells the others what it hears. */

import type { Line } from './connection'
import { Presence } from './presence'
import type { Event, View } from './view'

/** What the tabs say to each other. */
type Message =
  | { say: 'frame', log: number, after: string, id: string, event: Event }
  | { say: 'view', log: number, to: number, view: View, line: Line }
  | { say: 'connected', line: Line }
  | { say: 'hello', from: number }

export interface TabHandlers {
  view(): View
  /** This tab leads now, until the signal. */
  lead(until: AbortSignal): void
  /** The leader has heard a frame that follows on what this tab holds. */
  frame(id: string, event: Event): void
  /** The leader's view, in place of this tab's. */
  adopt(view: View): void
  connected(line: Line): void
  /** Hidden: this tab hears nothing until it is shown again. */
  paused(): void
}

const ALL = 0

/**
 * One connection per session and browser: whoever holds the session's lock leads. A leader that closes, crashes or is
 * hidden for long lets the lock go, and the browser hands it to the next tab at once. Where the browser has no Web
 * Locks (plain HTTP off localhost), or forbids them, each tab leads for itself.
 */
export class Tabs {
  readonly #name: string
  readonly #on: TabHandlers
  readonly #me = Math.random()
  readonly #presence: Presence
  #channel: BroadcastChannel | null = null
  #leads = false
  /**
   * Which log the leader tells of: another one after each reset, so that no tab holds on to what was voided.
   * 0 until it has told this tab what it holds.
   */
  #log = 0
  #line: Line = false

  constructor(name: string, on: TabHandlers) {
    this.#name = name
    this.#on = on
    this.#presence = new Presence({ there: (until) => this.#stand(until), away: () => on.paused() })
  }

  close(): void {
    this.#presence.close()
  }

  /** As the leader: tell a frame that has come after `after`. */
  tell(after: string, id: string, event: Event): void {
    if (event.type === 'reset') this.#log = Math.random()
    this.#say({ say: 'frame', log: this.#log, after, id, event })
  }

  /** As the leader: tell how the connection is. */
  tellConnected(line: Line): void {
    this.#line = line
    this.#say({ say: 'connected', line })
  }

  /** Have the leader tell all that it holds. One answer is enough: until then nothing else of it is heard. */
  ask(): void {
    this.#log = 0
    this.#say({ say: 'hello', from: this.#me })
  }

  #stand(until: AbortSignal): void {
    until.addEventListener('abort', () => this.#stepBack(), { once: true })
    const lead = () => this.#lead(until)
    if (!navigator.locks || typeof BroadcastChannel === 'undefined') return void lead()
    this.#channel = new BroadcastChannel(this.#name)
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => this.#hear(data)
    this.ask()
    // Refused: it has stepped back before its turn came, which `#lead` sees; or the browser forbids locks here.
    navigator.locks.request(this.#name, { signal: until }, lead).catch(lead)
  }

  #lead(until: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (until.aborted) return resolve()
      until.addEventListener('abort', () => resolve(), { once: true })
      this.#leads = true
      this.#log = Math.random()
      this.#tellView(ALL)
      this.#on.lead(until)
    })
  }

  #stepBack(): void {
    this.#leads = this.#line = false
    this.#channel?.close()
    this.#channel = null
  }

  #tellView(to: number): void {
    this.#say({ say: 'view', log: this.#log, to, view: this.#on.view(), line: this.#line })
  }

  #say(message: Message): void {
    this.#channel?.postMessage(message)
  }

  #hear(message: Message): void {
    if (message.say === 'hello') {
      if (this.#leads) this.#tellView(message.from)
    } else if (this.#leads) {
      // What a leader before this one has still said.
    } else if (message.say === 'connected') {
      this.#on.connected(message.line)
    } else if (message.say === 'view') {
      if (message.to !== ALL && message.to !== this.#me) return
      this.#log = message.log
      this.#on.adopt(message.view)
      this.#on.connected(message.line)
    } else if (!this.#log) {
      // All that the leader holds is on its way, this frame in it.
    } else if (message.log !== this.#log || message.after !== this.#on.view().cursor) {
      // Something was missed while this tab slept, or another tab has begun to lead.
      this.ask()
    } else {
      this.#on.frame(message.id, message.event)
    }
  }
}
