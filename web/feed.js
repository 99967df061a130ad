// The frames of a session, kept coming: EventSource, and a timer of our own where EventSource gives up.

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15000;
/** A tab that slept longer may hold a dead socket and not know it: pings are invisible to a page. */
const SLEEP_MS = 30000;

/** Frames of one session from a cursor on, until `close`. */
export class Feed {
  #session;
  #on;
  #source = null;
  #timer = 0;
  #failures = 0;
  #hiddenAt = Date.now();
  #listening = new AbortController();

  /**
   * @param {string} session
   * @param {{cursor: () => string, frame: (id: string, event: object) => void,
   *   state: (state: 'connected' | 'reconnecting') => void}} on
   */
  constructor(session, on) {
    this.#session = session;
    this.#on = on;
    const { signal } = this.#listening;
    window.addEventListener('online', () => this.#reopen(), { signal });
    document.addEventListener('visibilitychange', () => this.#seen(), { signal });
    this.#open();
  }

  /** End it; nothing is told afterwards. */
  close() {
    this.#listening.abort();
    clearTimeout(this.#timer);
    this.#source.close();
  }

  #open() {
    const source = new EventSource(this.#address());
    source.onopen = () => {
      this.#failures = 0;
      this.#on.state('connected');
    };
    source.onmessage = (message) => this.#on.frame(message.lastEventId, JSON.parse(message.data));
    source.onerror = () => {
      this.#on.state('reconnecting');
      // After a cut the browser tries again by itself; after 4xx, 5xx or 204 it never does.
      if (source.readyState === EventSource.CLOSED) this.#later();
    };
    this.#source = source;
  }

  #address() {
    const query = new URLSearchParams({ sessionId: this.#session, follow: 'session' });
    const cursor = this.#on.cursor();
    if (cursor) query.set('lastEventId', cursor);
    return `/api/consume-stream?${query}`;
  }

  #later() {
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** ++this.#failures);
    // Spread, so that a thousand pages that lost the same server do not come back in the same second.
    const wait = FIRST_WAIT_MS + Math.random() * (longest - FIRST_WAIT_MS);
    this.#timer = setTimeout(() => this.#reopen(), wait);
  }

  #reopen() {
    clearTimeout(this.#timer);
    this.#source.close();
    this.#on.state('reconnecting');
    this.#open();
  }

  #seen() {
    if (document.hidden) {
      this.#hiddenAt = Date.now();
      return;
    }
    const slept = Date.now() - this.#hiddenAt > SLEEP_MS;
    if (slept || this.#source.readyState !== EventSource.OPEN) this.#reopen();
  }
}
