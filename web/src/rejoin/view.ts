/** What a viewer holds: a pure fold of frames into answers. The same cases test this one and Python's. */

/** One event as it came: `data` of a frame, parsed. */
export interface Event {
  readonly type?: unknown
  readonly [field: string]: unknown
}

/** Whether tools are folded: not in the client that is a module of its own, which has to stay small. */
declare const __TOOLS__: boolean

/** A tool that the model calls. */
export interface ToolCall {
  readonly callId: string
  readonly name: string
  /** JSON, if the model wrote what it should. */
  readonly arguments: string
}

export type Status = 'running' | 'completed' | 'stopped' | 'failed'

/** One generation as far as it is known: its question, the words so far, how it stands. */
export interface Answer {
  readonly generation: number
  readonly attempt: number
  readonly prompt: string
  readonly provider: string
  readonly model: string
  /** ISO 8601, UTC; empty when its beginning was not told. */
  readonly startedAt: string
  /** The generation in whose place this one stands. */
  readonly replaces: number | null
  readonly status: Status
  readonly text: string
  readonly reasoning: string
  /** From the attempt's beginning to the last thought before the first word; null where no thought told its `ms`. */
  readonly thinkingMs: number | null
  /** The generation that it goes on from, where that is not the one before it; 0 for none. Missing where it is. */
  readonly after?: number
  /** The generation with whose message it goes on: it was asked with `toolResults`, and has no prompt. */
  readonly continues?: number
  readonly toolCalls?: readonly ToolCall[]
  /** `callId` and `content` of each, as they came. */
  readonly toolResults?: readonly unknown[]
  /** The terminal event: usage, finishReason, code, error … Null while the generation runs. */
  readonly end: Event | null
}

/** The answers of one session, oldest first, and the id of the last entry that was folded: the resume point. */
export interface View {
  readonly cursor: string
  /** The generation that the last event was of. */
  readonly current: number
  readonly answers: ReadonlyMap<number, Answer>
}

export const EMPTY: View = { cursor: '', current: 0, answers: new Map() }

const TERMINAL: ReadonlySet<unknown> = new Set(['completed', 'stopped', 'failed'])

/**
 * Take one frame. An id that was passed already changes nothing; an unknown type changes the cursor only.
 *
 * A reset is looked at before its id, because EventSource repeats the last id on frames that have none.
 * Throws SyntaxError for an id that is none.
 */
export function fold(view: View, id: string, event: Event): View {
  if (event.type === 'reset') return EMPTY
  if (id && !isAfter(id, view.cursor)) return view
  return taken({ ...view, cursor: id || view.cursor }, event)
}

/** Whether an entry comes after another one in the log; every entry comes after none, which is empty. */
export function isAfter(id: string, other: string): boolean {
  const [ms, seq] = parsed(id)
  const [otherMs, otherSeq] = other ? parsed(other) : [-1n, -1n]
  return ms > otherMs || (ms === otherMs && seq > otherSeq)
}

/** The youngest answer, the only one that may be running; undefined in a new session. */
export function last(view: View): Answer | undefined {
  return view.answers.get(view.current)
}

function taken(view: View, event: Event): View {
  const { type, status } = event
  if (type === 'metadata' && status === 'started') return put(view, begun(view, event))
  if (__TOOLS__ && type === 'tool') return put(view, called(view, event))
  const ends = type === 'metadata' && TERMINAL.has(status)
  if (!ends && type !== 'chunk' && type !== 'reasoning') return view
  const generation = integer(event.generation) ?? view.current
  const answer = view.answers.get(generation) ?? blank(generation)
  if (ends) return put(view, { ...answer, status: status as Status, end: event })
  return put(view, type === 'chunk' ? { ...answer, text: answer.text + text(event.content) } : thought(answer, event))
}

function thought(answer: Answer, event: Event): Answer {
  // The last entry's `ms` is the only one that joined frames keep: so those who come late measure the same.
  const ms = answer.text ? null : integer(event.ms)
  return { ...answer, reasoning: answer.reasoning + text(event.content), thinkingMs: ms ?? answer.thinkingMs }
}

function called(view: View, event: Event): Answer {
  const generation = integer(event.generation) ?? view.current
  const answer = view.answers.get(generation) ?? blank(generation)
  const call = { callId: text(event.callId), name: text(event.name), arguments: text(event.arguments) }
  return { ...answer, toolCalls: [...answer.toolCalls ?? [], call] }
}

/** What it goes on from and with, where it tells. */
function onward({ after, continues, toolResults }: Event): Partial<Answer> {
  return {
    ...(integer(after) !== null && { after: after as number }),
    ...(integer(continues) !== null && { continues: continues as number }),
    ...(Array.isArray(toolResults) && { toolResults }),
  }
}

/** A new attempt voids what an earlier one said; its place in the order stays. */
function begun(view: View, event: Event): Answer {
  const answer = {
    ...blank(integer(event.generation) ?? view.current + 1),
    attempt: integer(event.attempt) ?? 1,
    prompt: text(event.prompt),
    provider: text(event.provider),
    model: text(event.model),
    startedAt: text(event.startedAt),
    replaces: integer(event.replaces),
  }
  return __TOOLS__ ? { ...answer, ...onward(event) } : answer
}

function blank(generation: number): Answer {
  return {
    generation, attempt: 1, prompt: '', provider: '', model: '', startedAt: '', replaces: null,
    status: 'running', text: '', reasoning: '', thinkingMs: null, end: null,
  }
}

function put(view: View, answer: Answer): View {
  return { ...view, current: answer.generation, answers: new Map(view.answers).set(answer.generation, answer) }
}

/** Both numbers have 64 bits, more than a Number holds. */
function parsed(id: string): [bigint, bigint] {
  const match = /^(\d{1,20})-(\d{1,20})$/.exec(id)
  if (!match) throw new SyntaxError(`not an entry's id: ${id}`)
  return [BigInt(match[1]!), BigInt(match[2]!)]
}

/** A foreign writer's number may arrive as anything. */
function integer(value: unknown): number | null {
  return Number.isSafeInteger(value) ? value as number : null
}

/** A field as text; empty where there is none. */
export function text(value: unknown): string {
  return value === undefined || value === null ? '' : String(value)
}
