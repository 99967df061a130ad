// What a viewer holds: a pure fold of frames into answers. No DOM and no network, so node can test it.

const TERMINAL = new Set(['completed', 'stopped', 'failed']);
const NONE = [0n, 0n];

/** One generation as far as it is known: its question, the words so far, how it stands. */
class Answer {
  attempt = 1;
  prompt = '';
  provider = '';
  model = '';
  startedAt = '';
  replaces = null;
  status = 'running';
  text = '';
  reasoning = '';
  /** The terminal event: usage, finishReason, code, error … Null while the generation runs. */
  end = null;

  constructor(generation) {
    this.generation = generation;
  }
}

/** The answers of one session, oldest first, and the position of the last entry that was folded. */
export class View {
  #position = NONE;
  #current = 0;
  /** The id of the last entry, as it came; empty for none. It is the resume point. */
  cursor = '';
  /** Answers by generation. A new attempt is a new object in the old place. */
  answers = new Map();

  /** The youngest answer, the only one that may be running; undefined in a new session. */
  get last() {
    return this.answers.get(this.#current);
  }

  /**
   * Take one frame. An id that was passed already changes nothing; an unknown type changes the position only.
   *
   * A reset is looked at before its id, because EventSource repeats the last id on frames that have none.
   */
  apply(id, event) {
    if (event.type === 'reset') {
      this.#forget();
    } else if (this.#pass(id)) {
      this.#take(event);
    }
  }

  #forget() {
    this.#position = NONE;
    this.#current = 0;
    this.cursor = '';
    this.answers = new Map();
  }

  #pass(id) {
    if (!id) return true;
    const position = parse(id);
    if (!isAfter(position, this.#position)) return false;
    this.#position = position;
    this.cursor = id;
    return true;
  }

  #take(event) {
    if (event.type === 'chunk') {
      this.#answer(event).text += event.content ?? '';
    } else if (event.type === 'reasoning') {
      this.#answer(event).reasoning += event.content ?? '';
    } else if (event.type === 'metadata' && event.status === 'started') {
      this.#start(event);
    } else if (event.type === 'metadata' && TERMINAL.has(event.status)) {
      Object.assign(this.#answer(event), { status: event.status, end: event });
    }
  }

  #start(event) {
    this.#current = integer(event.generation) ?? this.#current + 1;
    const answer = new Answer(this.#current);
    answer.attempt = integer(event.attempt) ?? 1;
    answer.prompt = event.prompt ?? '';
    answer.provider = event.provider ?? '';
    answer.model = event.model ?? '';
    answer.startedAt = event.startedAt ?? '';
    answer.replaces = integer(event.replaces);
    // This voids what an earlier attempt said; a Map keeps the place in the order.
    this.answers.set(this.#current, answer);
  }

  #answer(event) {
    this.#current = integer(event.generation) ?? this.#current;
    if (!this.last) this.answers.set(this.#current, new Answer(this.#current));
    return this.last;
  }
}

/** Read `<ms>-<seq>`. Both have 64 bits, more than a Number holds. Throws SyntaxError for anything else. */
function parse(id) {
  const match = /^(\d{1,20})-(\d{1,20})$/.exec(id);
  if (!match) throw new SyntaxError(`not an entry's id: ${id}`);
  return [BigInt(match[1]), BigInt(match[2])];
}

function isAfter([ms, seq], [lastMs, lastSeq]) {
  return ms > lastMs || (ms === lastMs && seq > lastSeq);
}

/** A foreign writer's number may arrive as anything; null then, as the contract's own readers do. */
function integer(value) {
  return Number.isSafeInteger(value) ? value : null;
}
