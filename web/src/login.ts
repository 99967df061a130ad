/** Who reads: whether this server asks for a token, and whether this browser has brought one. The same in all tabs. */

import { Refusal, send } from './http'
import { belongTo, belongToNobody, leave, signedOut } from './owner'
import { keep } from './storage'

export interface Login {
  /** The server has been asked, and has answered. */
  readonly known: boolean
  readonly auth: 'none' | 'jwt'
  readonly signedIn: boolean
  /** Who is signed in, or was until now; null for nobody. */
  readonly owner: string | null
  /** Unix time, s. */
  readonly expiresAt: number | null
  /** Whether links can be shared. */
  readonly sharing: boolean
  /** Nobody is signed in, nor was just now: there is nothing to be seen. */
  readonly out: boolean
}

/** Touched by the tab that signs in, for the others to hear that there is another token. */
const STORED = 'rejoin.login'
const PAUSE_MS = 2_000
const OPEN: Login = {
  known: false, auth: 'none', signedIn: false, owner: null, expiresAt: null, sharing: false, out: false,
}
const TOKEN = /^[A-Za-z0-9._~+/=-]+$/

let login = OPEN
/** The end of the token that was refused last, whatever the server says of it: its clock may differ by a moment. */
let spent: number | null = null
const waiting: (() => void)[] = []
const listeners = new Set<() => void>()

export function currentLogin(): Login {
  return login
}

/** Be told of changes, until the function that this returns is called. */
export function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Ask the server; false where it can't be reached. */
export async function look(): Promise<boolean> {
  try {
    const told = await send('/api/login') as Omit<Login, 'known' | 'out'>
    // Whatever was begun, or waits for a token, was another's.
    if (told.owner && !belongTo(told.owner)) return await leave()
    if (told.auth === 'none') belongToNobody()
    const signedIn = told.signedIn && told.expiresAt !== spent
    // Who was signed in until now goes on seeing what they saw.
    const owner = told.owner ?? login.owner
    const out = told.auth === 'jwt' && !signedIn && (login.out || login.auth !== 'jwt')
    become({ ...told, known: true, signedIn, owner, out })
  } catch (refusal) {
    if (!(refusal instanceof Refusal) || refusal.transient) return false
    become({ ...OPEN, known: true }) // a server that has no such question
  }
  return true
}

/** Ask until there is an answer. */
export async function find(): Promise<void> {
  while (!await look()) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
}

/**
 * After a refusal: whether there is another token now than the one that is over at `before`. The application, or another
 * tab, may have renewed it; else the reader is asked for one, and waited for. False where no token would help.
 */
export async function renew(before: number | null): Promise<boolean> {
  if (login.signedIn && login.expiresAt !== before) return true
  spent = before
  await find()
  if (login.signedIn || login.auth === 'none') return login.signedIn
  await new Promise<void>((resolve) => waiting.push(resolve))
  return true
}

/** Hand a token to the server, which gives it back as a cookie that no script can read. Throws Refusal. */
export async function signIn(token: string): Promise<void> {
  const bare = token.trim().replace(/^bearer\s+/i, '')
  if (!TOKEN.test(bare)) throw new Refusal('token_invalid', 'That is no token: they have letters, digits and . _ - only.')
  await send('/api/login', { method: 'POST', headers: { Authorization: `Bearer ${bare}` } })
  spent = null
  await look()
  if (!login.signedIn) throw new Refusal('cookie_refused', 'The token is good, but this browser did not keep it.')
  keep(STORED, String(Date.now()))
}

/** The way out: nothing of the reader stays in any tab. Throws Refusal; then one is still signed in. */
export async function signOut(): Promise<void> {
  await send('/api/logout', { method: 'POST' })
  await signedOut()
}

function become(next: Login): void {
  login = next
  for (const listener of listeners) listener()
  if (!login.signedIn) return
  for (const resolve of waiting.splice(0)) resolve()
}

addEventListener('storage', ({ key }) => {
  if (key === STORED) void look()
})
// The application may have signed the reader in elsewhere, or somebody else, and they come back.
addEventListener('focus', () => {
  if (login.auth === 'jwt') void look()
})
