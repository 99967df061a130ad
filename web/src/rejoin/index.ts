/** The client of Rejoin: follow a session, whatever happens to the network, the page or the servers. No framework. */

import { ConnectionState, type Connection } from './connection'
import { isWhole } from './digest'
import { Memory } from './memory'
import { Source } from './source'
import { Tabs } from './tabs'
import { EMPTY, fold, type Event, type View } from './view'

export type { Connection } from './connection'
export { forgetSession } from './memory'
export { EMPTY, last, type Answer, type Event, type Status, type ToolCall, type View } from './view'

export interface Handlers {
  /** After every change, with all that is known. Answers that have not changed are the same objects as before. */
  view(view: View): void
  connection(state: Connection): void
  /**
   * The server refuses, by this code: a token is over, or missing, or no good. Whether to try again: it has been renewed.
   * Of all tabs the one that holds the connection is asked; without an answer the session stays closed.
   */
  unauthorized?(code: string): boolean | Promise<boolean>
}

export interface Options {
  /** The token of a link that somebody has shared: what it shows is read, and nothing of it is kept. */
  share?: string
  /** Send this site's cookies to consume-stream on another one, as for EventSource. */
  withCredentials?: boolean
}

export interface Following {
  /** All that is known now. */
  readonly view: View
  /** End it. What runs on the server goes on. */
  close(): void
}

/**
 * Follow a session: all its answers so far, each word once, and then each new one as it comes, until `close`.
 *
 * @param url where consume-stream answers, such as `/api/consume-stream`; a fragment parts the tabs of one reader from
 *   those of another, who have no connection in common
 * @param sessionId a session; one that does not exist yet is waited for
 */
export function followSession(url: string, sessionId: string, handlers: Handlers, options: Options = {}): Following {
  return new Follower(url, sessionId, handlers, options)
}

class Follower implements Following {
  readonly #url: string
  readonly #on: Handlers
  readonly #withCredentials: boolean
  /** None for what can be taken back. */
  readonly #memory: Memory | undefined
  readonly #connection: ConnectionState
  readonly #tabs: Tabs
  #view = EMPTY
  #source: Source | null = null
  #closed = false
  /** Answers that their digest belied, and that were fetched once more: a writer's digest may itself be wrong. */
  readonly #doubted = new Set<number>()

  constructor(url: string, sessionId: string, handlers: Handlers, { share, withCredentials = false }: Options) {
    const address = new URL(url, location.href)
    address.searchParams.set('sessionId', sessionId)
    address.searchParams.set('follow', 'session')
    if (share) address.searchParams.set('share', share)
    else this.#memory = new Memory(sessionId)
    this.#withCredentials = withCredentials
    this.#url = address.href
    this.#on = handlers
    this.#connection = new ConnectionState((state) => handlers.connection(state))
    this.#view = this.#memory?.recall() ?? EMPTY
    if (this.#view !== EMPTY) handlers.view(this.#view)
    for (const answer of this.#view.answers.values()) void this.#prove(answer.generation)
    this.#tabs = new Tabs(`rejoin ${this.#url}`, {
      view: () => this.#view,
      lead: (until) => this.#lead(until),
      frame: (id, event) => this.#take(id, event),
      adopt: (view) => this.#become(view),
      connected: (line) => this.#connection.connected(line),
      paused: () => this.#connection.paused(),
    })
  }

  get view(): View {
    return this.#view
  }

  close(): void {
    this.#closed = true
    this.#connection.close()
    this.#tabs.close()
    this.#memory?.close()
  }

  #lead(until: AbortSignal): void {
    const source = new Source(this.#url, this.#withCredentials, {
      cursor: () => this.#view.cursor,
      frame: (id, event) => {
        const after = this.#view.cursor
        this.#take(id, event)
        // What was passed already is news to nobody.
        if (this.#view.cursor !== after || event.type === 'reset') this.#tabs.tell(after, id, event)
      },
      connected: (line) => {
        this.#connection.connected(line)
        this.#tabs.tellConnected(line)
      },
      refused: async (code) => {
        const renewed = await this.#on.unauthorized?.(code)
        if (renewed && this.#source === source) source.retry()
      },
    })
    this.#source = source
    until.addEventListener('abort', () => {
      source.close()
      this.#source = null
    }, { once: true })
  }

  #take(id: string, event: Event): void {
    const view = fold(this.#view, id, event)
    if (view === this.#view) return
    this.#become(view)
    if (view.answers.get(view.current)?.end === event) void this.#prove(view.current)
    this.#connection.heard()
  }

  #become(view: View): void {
    this.#view = view
    this.#memory?.keep(view)
    if (!this.#closed) this.#on.view(view)
  }

  /** An answer that its own digest belies is not mended: everything is fetched once more. */
  async #prove(generation: number): Promise<void> {
    const answer = this.#view.answers.get(generation)
    if (!answer || await isWhole(answer)) return
    if (this.#closed || this.#view.answers.get(generation) !== answer || this.#doubted.has(generation)) return
    this.#doubted.add(generation)
    this.#become(EMPTY)
    if (this.#source) this.#source.reopen()
    else this.#tabs.ask()
  }
}
