/** One request to this origin, and its answer or refusal. */

const TIMEOUT_MS = 20_000

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

/** The body of the answer, null where it is no JSON. Throws Refusal. */
export async function send(path: string, init: RequestInit = {}, timeoutMs = TIMEOUT_MS): Promise<unknown> {
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
