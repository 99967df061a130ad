/** What a tab remembers of its session over a refresh: the words, and the resume point that goes with them. */

import { EMPTY, type Answer, type View } from './view'

const PREFIX = 'rejoin.view.'
/** For a tab that crashes; one that is refreshed or closed writes as it goes. */
const SAVE_MS = 2_000

/** Sessions that were deleted while they were shown: what is left of them here is not to be written any more. */
const deleted = new Set<string>()

/** Keep nothing of a session: it was deleted. */
export function forgetSession(session: string): void {
  deleted.add(PREFIX + session)
  drop(PREFIX + session)
}

interface Kept {
  cursor: string
  current: number
  answers: Answer[]
}

/** The view of a session in sessionStorage: there at once after a refresh, gone with the tab. */
export class Memory {
  readonly #key: string
  readonly #listening = new AbortController()
  #view: View = EMPTY
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(session: string) {
    this.#key = PREFIX + session
    deleted.delete(this.#key)
    addEventListener('pagehide', () => this.#write(), { signal: this.#listening.signal })
  }

  /** What was kept; nothing where storage is forbidden, or holds something else. */
  recall(): View {
    try {
      const kept = JSON.parse(sessionStorage.getItem(this.#key) ?? 'null') as Kept | null
      if (!kept) return EMPTY
      const answers = new Map(kept.answers.map((answer) => [answer.generation, answer]))
      return { cursor: kept.cursor, current: kept.current, answers }
    } catch {
      return EMPTY
    }
  }

  /** Keep a view, a moment later: frames come faster than storage takes them. */
  keep(view: View): void {
    this.#view = view
    this.#timer ??= setTimeout(() => this.#write(), SAVE_MS)
  }

  /** Write what is still to be written. */
  close(): void {
    this.#listening.abort()
    this.#write()
  }

  #write(): void {
    if (this.#timer === undefined) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (deleted.has(this.#key)) return
    const { cursor, current, answers } = this.#view
    try {
      sessionStorage.setItem(this.#key, JSON.stringify({ cursor, current, answers: [...answers.values()] }))
    } catch {
      // Full, or forbidden. Words without their resume point would be wrong: after a refresh all comes anew.
      drop(this.#key)
    }
  }
}

function drop(key: string): void {
  try {
    sessionStorage.removeItem(key)
  } catch {
    // Forbidden: then nothing is there.
  }
}
