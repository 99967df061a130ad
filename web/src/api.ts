/** What the page asks of the two services, besides the stream itself. */

import { nanoid } from 'nanoid'

const TIMEOUT_MS = 20_000
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

interface ErrorBody {
  error?: { code?: string, message?: string }
  generation?: number
}

/** The server said no, or could not be reached (`code` is then `unreachable`); the message is for people. */
export class Refusal extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status = 0,
    /** The generation that it is about, if any. */
    readonly generation = 0,
    readonly retryAfterMs = 0,
  ) {
    super(message)
  }

  /** Nothing was begun, and the same request may well go through in a moment. */
  get transient(): boolean {
    return !this.generation && [0, 502, 503, 504].includes(this.status)
  }
}

/** The last question whose fate is unknown: asked again, it goes out under the same key, for one answer. */
let unsettled = { body: '', key: '' }

/** Ask; with `stream: false` it resolves when the answer is over. Throws Refusal. */
export async function ask(question: Question): Promise<void> {
  const body = JSON.stringify(question)
  if (unsettled.body !== body) unsettled = { body, key: nanoid() }
  const headers = { 'Idempotency-Key': unsettled.key }
  try {
    await post('/api/generate-stream', body, headers, question.stream ? TIMEOUT_MS : WHOLE_TIMEOUT_MS)
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

/** How many read a session now; 0 where there is none. Throws Refusal. */
export async function viewers(sessionId: string): Promise<number> {
  // No generation began before this entry: the figure is wanted, and not megabytes of words.
  const path = `/api/sessions/${sessionId}?limit=1&before=0-1`
  const session = await request(path).catch((refusal: unknown) => {
    if (refusal instanceof Refusal && refusal.status === 404) return { viewers: 0 }
    throw refusal
  })
  return Number((session as { viewers?: unknown } | null)?.viewers) || 0
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

function post(path: string, body: string, headers: Record<string, string> = {}, timeoutMs = TIMEOUT_MS) {
  return request(path, { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body }, timeoutMs)
}

async function request(path: string, init: RequestInit = {}, timeoutMs = TIMEOUT_MS): Promise<unknown> {
  let response, text
  try {
    response = await fetch(path, { ...init, signal: AbortSignal.timeout(timeoutMs) })
    text = await response.text()
  } catch {
    throw new Refusal('unreachable', 'The server cannot be reached.')
  }
  const body = parsed(text)
  if (response.ok) return body
  const { error, generation } = (body ?? {}) as ErrorBody
  const { code = `http_${response.status}`, message = `The server answered ${response.status}.` } = error ?? {}
  const retryAfterMs = 1000 * Number(response.headers.get('Retry-After') ?? 0) || 0
  throw new Refusal(code, message, response.status, generation, retryAfterMs)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null // nothing, or a proxy's own error page
  }
}
