/** The session's id: in the address, to be opened elsewhere; in localStorage, for `/` to find it again. */

import { nanoid } from 'nanoid'

import { keep, own, recall } from './storage'

const STORED = 'rejoin.session'
const PARAMETER = 'session'

/** The id in the address, else the one that the reader used last, else a new one; the address then holds it. */
export function currentSession(): string {
  const inAddress = new URLSearchParams(location.search).get(PARAMETER)
  const id = [inAddress, recall(own(STORED))].find(isSession) ?? nanoid()
  if (id !== inAddress) history.replaceState(null, '', address(id))
  return id
}

/** Have it found again at `/`. */
export function keepSession(id: string): void {
  keep(own(STORED), id)
}

/** Go to a session, a step further in the browser's history: Back returns to the one that was left. */
export function openSession(id: string): void {
  history.pushState(null, '', address(id))
}

export function newSession(): string {
  return nanoid()
}

/** Where a session is found, as seen from this page. */
export function address(id: string): string {
  return `?${new URLSearchParams({ [PARAMETER]: id })}`
}

export interface Link {
  session: string
  /** The token that the link carries: leave to read. */
  token: string
}

/**
 * The link that somebody has shared, if this address is one. Its token stays in the fragment, which no request carries:
 * so the address can be kept, sent on and refreshed as it is.
 */
export function sharedLink(): Link | null {
  const session = new URLSearchParams(location.search).get(PARAMETER)
  const token = new URLSearchParams(location.hash.slice(1)).get('share')
  return token && isSession(session) ? { session, token } : null
}

function isSession(id: string | null): id is string {
  return /^[A-Za-z0-9_-]{8,64}$/.test(id ?? '')
}
