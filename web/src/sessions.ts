/** The sessions that a reader has seen lately, in localStorage: the same list in all tabs of the browser. */

import { subscribe as onLogin } from './login'
import { keep, own, recall } from './storage'

export interface Recent {
  readonly id: string
  /** The first question. */
  readonly title: string
  /** When the last question was asked, in ms since 1970. */
  readonly time: number
}

const STORED = 'rejoin.sessions'
const MOST = 50
const TITLE_MAX = 80

let key = own(STORED)
let list = read()
const listeners = new Set<() => void>()

export function recentSessions(): readonly Recent[] {
  return list
}

/** Be told of changes, also of those that other tabs make, until the function that this returns is called. */
export function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Put a session on the list, or say what is new about it. */
export function remember(id: string, question: string, time: number): void {
  const known = list.find((recent) => recent.id === id)
  const title = question.trim().replace(/\s+/g, ' ').slice(0, TITLE_MAX)
  if (!title || (known?.title === title && known.time >= time)) return
  const others = list.filter((recent) => recent.id !== id)
  become([{ id, title, time }, ...others].sort((one, other) => other.time - one.time).slice(0, MOST))
}

export function forget(id: string): void {
  become(list.filter((recent) => recent.id !== id))
}

function become(next: readonly Recent[]): void {
  list = next
  keep(key, JSON.stringify(list))
  tell()
}

function tell(): void {
  for (const listener of listeners) listener()
}

function read(): readonly Recent[] {
  try {
    const stored: unknown = JSON.parse(recall(key) ?? '[]')
    return Array.isArray(stored) ? stored.filter(isRecent) : []
  } catch {
    return []
  }
}

function isRecent(value: unknown): value is Recent {
  if (typeof value !== 'object' || value === null) return false
  const { id, title, time } = value as Partial<Recent>
  return typeof id === 'string' && typeof title === 'string' && typeof time === 'number'
}

function refresh(): void {
  list = read()
  tell()
}

addEventListener('storage', (changed) => {
  // A key of null: all was cleared.
  if (changed.key === null || changed.key === key) refresh()
})
// Who reads may be known a moment later than the page is there.
onLogin(() => {
  if (key === own(STORED)) return
  key = own(STORED)
  refresh()
})
