/** What a tab remembers of its session over a refresh: the words, and the resume point that goes with them. */

import { EMPTY, isAfter, type Answer, type View } from './view'

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
      return viewed(JSON.parse(sessionStorage.getItem(this.#key) ?? 'null'))
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

/** The view that was kept; empty where it was none. Throws SyntaxError for a cursor that is no entry's id. */
function viewed(kept: unknown): View {
  if (!isObject(kept)) return EMPTY
  const { cursor, current, answers } = kept
  // Words without their resume point would come twice.
  if (typeof cursor !== 'string' || !isAfter(cursor, '0-0') || !isInteger(current)) return EMPTY
  if (!Array.isArray(answers) || !answers.every(isAnswer)) return EMPTY
  return { cursor, current, answers: new Map(answers.map((answer) => [answer.generation, answer])) }
}

const TEXTS = ['prompt', 'provider', 'model', 'startedAt', 'text', 'reasoning']
const MAYBE = ['replaces', 'thinkingMs']
const ENDS: readonly unknown[] = ['completed', 'stopped', 'failed']

function isAnswer(value: unknown): value is Answer {
  if (!isObject(value)) return false
  const { generation, attempt, status, end } = value
  return isInteger(generation) && isInteger(attempt)
    && MAYBE.every((name) => value[name] === null || isInteger(value[name]))
    && TEXTS.every((name) => typeof value[name] === 'string')
    && (end === null ? status === 'running' : isObject(end) && ENDS.includes(status))
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function drop(key: string): void {
  try {
    sessionStorage.removeItem(key)
  } catch {
    // Forbidden: then nothing is there.
  }
}
