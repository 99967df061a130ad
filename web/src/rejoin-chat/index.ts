/** A `fetch` for the AI SDK's chat transport: its `stop()` stops the answer itself, and a stream that is cut goes on. */

const TRIES = 8
const LONGEST_MS = 15_000
/** A chat that resumes anew aborts what it resumed before, and stops nothing. */
const SUPERSEDED_MS = 250
const STOPPED_MS = 5_000

/** Stops that are to be sent. */
const stops = new Set<() => Promise<unknown>>()
/** Who resumed last, by the path of the stream. */
const resumed = new Map<string, AbortController>()
/** Questions whose answers were being written when the messages were read: their generations, by the stream's path. */
const unanswered = new Map<string, string>()
let stoppedAt = 0

/**
 * The messages of a chat, for `useChat({ messages, resume: true })`: none where it has not begun.
 *
 * An answer that is being written is left out, and told by the stream that is resumed then, also when it is over by then.
 */
export async function loadMessages<Message>(id: string, api = '/api/chat', init?: RequestInit): Promise<Message[]> {
  const chat = `${api}/${id}`
  const response = await fetch(`${chat}/messages`, init)
  if (response.status === 404) return []
  if (!response.ok) throw new Error(await refusal(response))
  const messages = await response.json()
  const [, generation] = /\.(\d+)\.user$/.exec(messages.at(-1)?.id ?? '') ?? []
  if (generation) unanswered.set(absolute(`${chat}/stream`).pathname, generation)
  return messages
}

/**
 * Give it to `DefaultChatTransport` as `fetch`.
 *
 * A server can't tell an aborted request from a closed tab, so a stop is asked for by name; a closed tab asks for none.
 * The body errs where the server has begun the answer anew, or is out of reach: `resumeStream()` then has all of it.
 */
export async function rejoinFetch(input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
  const { signal, ...request } = init
  const begins = request.method === 'POST'
  const headers = new Headers(request.headers)
  const line = new AbortController()
  signal?.throwIfAborted()
  const path = absolute(String(input)).pathname
  if (begins) {
    unanswered.clear()
    await Promise.all([...stops].map((send) => send()))
    // Sent again where the answer to it is lost, it begins nothing twice.
    if (!headers.has('Idempotency-Key')) headers.set('Idempotency-Key', unique())
  } else {
    resumed.set(path, line)
    const generation = unanswered.get(path)
    if (generation && !String(input).includes('?')) input = `${input}?generation=${generation}`
  }
  const asked = first(() => fetch(input, { ...request, headers, signal: line.signal }), begins)
  const { 'content-type': _, 'idempotency-key': __, ...known } = Object.fromEntries(headers)
  const again: RequestInit = { headers: known, ...(request.credentials ? { credentials: request.credentials } : {}) }

  let drop!: (reason: unknown) => void
  const dropped = new Promise<never>((_, reject) => (drop = reject))
  const onAbort = () => {
    drop(signal!.reason)
    const stopped = asked.then(async (response) => {
      if (begins && streams(response)) await stop(address(response), again, () => true)
      else if (streams(response)) await stop(address(response), again, () => resumed.get(path) === line, SUPERSEDED_MS)
    })
    void stopped.catch(() => {}).finally(() => line.abort())
  }
  dropped.catch(() => {})
  signal?.addEventListener('abort', onAbort, { once: true })

  const response = await Promise.race([asked, dropped])
  if (!streams(response)) return response
  const events = whole(response, { ...again, signal: line.signal }, () => {
    unanswered.delete(path)
    signal?.removeEventListener('abort', onAbort)
  })
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await Promise.race([events.next(), dropped])
      if (done) controller.close()
      else controller.enqueue(encoder.encode(value))
    },
    cancel: () => line.abort(),
  })
  return new Response(body, response)
}

/** The events of an answer to its end, however often the line is cut: each entry of the log whole, and once. */
async function* whole(response: Response, again: RequestInit, over: () => void): AsyncGenerator<string, void> {
  const where = address(response)
  const after = new Headers(again.headers)
  let tries = 0
  for (let now: Response | undefined = response; ; ) {
    let rest = ''
    let waiting = ''
    const reader: ReadableStreamDefaultReader<string> = now.body!.pipeThrough(new TextDecoderStream() as never).getReader() as never
    for (;;) {
      const { value } = await reader.read().catch(() => ({ value: undefined }))
      if (value === undefined) break
      const events = (rest + value).split('\n\n')
      rest = events.pop()!
      for (const event of events) {
        waiting += `${event}\n\n`
        // The last event of an entry has its position. What comes before it is told again after a cut.
        const position = /^id: (.+)$/m.exec(event)?.[1]
        if (!position) continue
        after.set('Last-Event-ID', position)
        tries = 0
        const told = waiting
        waiting = ''
        if (event.endsWith('data: [DONE]')) {
          over()
          yield told
          return
        }
        yield told
      }
    }
    for (now = undefined; !now; ) {
      again.signal?.throwIfAborted()
      if (++tries > TRIES) throw new Error('The answer is out of reach.')
      await pause(tries)
      const told = await fetch(where, { ...again, headers: after }).catch(() => undefined)
      if (told?.status === 204) return over()
      if (told?.ok) now = told
      else if (told && told.status < 500 && told.status !== 429) throw new Error(await refusal(told))
    }
  }
}

/** The first answer to a request. What begins an answer waits until the one that was stopped just now has its end. */
async function first(ask: () => Promise<Response>, begins: boolean): Promise<Response> {
  for (let tries = 1; ; tries++) {
    try {
      const response = await ask()
      const busy = response.status === 409 && Date.now() - stoppedAt < STOPPED_MS
      if (!begins || !busy || tries > TRIES) return response
    } catch (error) {
      if (!begins || tries > 2 || (error as Error).name === 'AbortError') throw error
    }
    await pause(tries)
  }
}

async function stop(stream: URL, again: RequestInit, wanted: () => boolean, afterMs = 0): Promise<void> {
  let sent: Promise<unknown> | undefined
  const send = async () => {
    if (!wanted()) return
    const url = new URL(`stop${stream.search}`, stream)
    await (sent ??= fetch(url, { ...again, method: 'POST', keepalive: true }).catch(() => {}))
    stoppedAt = Date.now()
  }
  stops.add(send)
  if (afterMs) await new Promise((resolve) => setTimeout(resolve, afterMs))
  await send()
  stops.delete(send)
}

/** Where the very same answer is told, by its number. */
function address(response: Response): URL {
  return new URL(response.headers.get('Content-Location') ?? '', response.url)
}

function streams(response: Response): boolean {
  return response.ok && !!response.body && !!response.headers.get('Content-Type')?.startsWith('text/event-stream')
}

async function refusal(response: Response): Promise<string> {
  const told = await response.json().catch(() => undefined)
  return told?.error?.message ?? `The answer is refused: ${response.status}.`
}

function absolute(url: string): URL {
  return new URL(url, globalThis.location?.href)
}

function pause(tries: number): Promise<void> {
  const longest = Math.min(LONGEST_MS, 250 * 2 ** tries)
  return new Promise((resolve) => setTimeout(resolve, longest * (0.5 + Math.random() / 2)))
}

function unique(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
