/** A tab's presence: it is there while it is shown, and for a moment after. */

/**
 * How long a tab may be hidden before it lets go. A look at another tab and back costs nothing; and a reader who goes
 * through more sessions than the six connections that HTTP/1.1 allows waits no longer for the next one.
 */
const HIDDEN_MS = 3_000

export interface PresenceHandlers {
  /** The tab is there, until the signal. */
  there(until: AbortSignal): void
  /** It is not, until it is shown again. */
  away(): void
}

export class Presence {
  readonly #on: PresenceHandlers
  readonly #closing = new AbortController()
  #stay: AbortController | null = null
  #hiding: ReturnType<typeof setTimeout> | undefined

  constructor(on: PresenceHandlers) {
    this.#on = on
    const { signal } = this.#closing
    document.addEventListener('visibilitychange', () => this.#seen(), { signal })
    // A page that may come back by the Back button must keep neither lock nor connection while it sleeps.
    addEventListener('pagehide', () => this.#leave(), { signal })
    addEventListener('pageshow', ({ persisted }) => persisted && this.#come(), { signal })
    if (document.visibilityState === 'visible') this.#come()
    else on.away()
  }

  close(): void {
    clearTimeout(this.#hiding)
    this.#closing.abort()
    this.#stay?.abort()
  }

  #come(): void {
    if (this.#stay) return
    this.#stay = new AbortController()
    this.#on.there(this.#stay.signal)
  }

  #leave(): void {
    if (!this.#stay) return
    this.#stay.abort()
    this.#stay = null
    this.#on.away()
  }

  #seen(): void {
    clearTimeout(this.#hiding)
    if (document.visibilityState === 'visible') this.#come()
    else this.#hiding = setTimeout(() => this.#leave(), HIDDEN_MS)
  }
}
