/** What the page asks of the two services, besides the stream itself. */

import { nanoid } from 'nanoid'

import { Refusal, send } from './http'
import { currentLogin, renew } from './login'

/** An answer that is waited for as a whole takes as long as it takes. */
const WHOLE_TIMEOUT_MS = 30 * 60_000
const RETRIES = 3
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 5_000

export interface Question {
  sessionId: string
  prompt: string
  provider?: string
  model?: string
  replaces?: number
  stream: boolean
}

export interface Models {
  default: { provider: string, model: string }
  providers: { name: string, models: string[] }[]
}

/** The last question whose fate is unknown: asked again, it goes out under the same key, for one answer. */
let unsettled = { body: '', key: '' }

/** Ask; with `stream: false` it resolves when the answer is over. Throws Refusal. */
export async function ask(question: Question): Promise<void> {
  const body = JSON.stringify(question)
  if (unsettled.body !== body) unsettled = { body, key: nanoid() }
  const headers = { 'Idempotency-Key': unsettled.key }
  try {
    await post('/api/generate-stream', body, headers, question.stream ? undefined : WHOLE_TIMEOUT_MS)
  } catch (refusal) {
    // 502 and 503 with a generation: it was begun, and the log tells how it ends.
    const begun = refusal instanceof Refusal && refusal.generation && [502, 503].includes(refusal.status)
    if (!begun) throw refusal
  }
  if (unsettled.body === body) unsettled = { body: '', key: '' }
}

/** Stop one generation; one that has ended stays as it is. Throws Refusal. */
export async function stop(sessionId: string, generation: number): Promise<void> {
  await post('/api/stop-stream', JSON.stringify({ sessionId, generation }))
}

/** Remove a session for everybody. Throws Refusal. */
export async function remove(sessionId: string): Promise<void> {
  await post('/api/delete-stream', JSON.stringify({ sessionId }))
}

/** What is configured on this server. Throws Refusal. */
export async function models(): Promise<Models> {
  return await request('/api/models') as Models
}

/** How many read a session now; 0 where there is none. With the token of a link, as its reader. Throws Refusal. */
export async function viewers(sessionId: string, share = ''): Promise<number> {
  // No generation began before this entry: the figure is wanted, and not megabytes of words.
  const path = `/api/sessions/${sessionId}?limit=1&before=0-1`
  const asked = share ? send(`${path}&share=${encodeURIComponent(share)}`) : request(path)
  const session = await asked.catch((refusal: unknown) => {
    if (refusal instanceof Refusal && refusal.status === 404) return { viewers: 0 }
    throw refusal
  })
  return Number((session as { viewers?: unknown } | null)?.viewers) || 0
}

export interface Share {
  shareId: string
  /** The only generation that it shows; null for all. */
  generation: number | null
  /** Unix time, s. */
  expiresAt: number
}

/** Make a link by which others may read; its address, as seen from this origin. Throws Refusal. */
export async function share(sessionId: string, generation: number | null, expiresInS: number): Promise<string> {
  const body = { sessionId, ...(generation && { generation }), expiresInS }
  const { url } = await post('/api/share-stream', JSON.stringify(body)) as { url: string }
  return new URL(url, location.origin).href
}

/** The links of a session; none of one that has not begun. Throws Refusal. */
export async function shares(sessionId: string): Promise<Share[]> {
  const list = await request(`/api/share-stream?sessionId=${sessionId}`).catch((refusal: unknown) => {
    if (refusal instanceof Refusal && refusal.status === 404) return { shares: [] }
    throw refusal
  })
  return (list as { shares: Share[] }).shares
}

/** Take back a link: who reads by it reads no more. Throws Refusal. */
export async function unshare(sessionId: string, shareId: string): Promise<void> {
  await post('/api/unshare-stream', JSON.stringify({ sessionId, shareId }))
}

/** Whether a request that has failed `failures` times is to be sent once more. */
export function retry(failures: number, error: unknown): boolean {
  return failures < RETRIES && error instanceof Refusal && error.transient
}

/** Pauses that grow, are spread, and are no shorter than the server wants them. */
export function retryDelay(failures: number, error: unknown): number {
  const own = FIRST_PAUSE_MS * 2 ** failures * (1 + Math.random())
  return Math.min(LONGEST_PAUSE_MS, Math.max(own, error instanceof Refusal ? error.retryAfterMs : 0))
}

function post(path: string, body: string, headers: Record<string, string> = {}, timeoutMs?: number) {
  return request(path, { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body }, timeoutMs)
}

/** Who is refused for want of a token waits until there is one, and is then none the worse for it. */
async function request(path: string, init: RequestInit = {}, timeoutMs?: number): Promise<unknown> {
  for (;;) {
    const { expiresAt } = currentLogin()
    try {
      return await send(path, init, timeoutMs)
    } catch (refusal) {
      const renewable = refusal instanceof Refusal && refusal.status === 401
      if (!renewable || !await renew(expiresAt)) throw refusal
    }
  }
}
