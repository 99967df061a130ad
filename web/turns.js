// The conversation on the screen. What people and models wrote goes into text nodes, never into HTML.

const WHOLE = new Set(['stop', 'end_turn', 'stop_sequence', '']);

/** The turns of a session; `show` makes the screen equal to a view and touches only what differs. */
export class Turns {
  #list;
  #template;
  #turns = new Map();

  constructor(list, template) {
    this.#list = list;
    this.#template = template;
  }

  show(answers) {
    for (const [generation, turn] of this.#turns) {
      if (answers.has(generation)) continue;
      turn.root.remove();
      this.#turns.delete(generation);
    }
    const replaced = new Set([...answers.values()].map((answer) => answer.replaces));
    for (const answer of answers.values()) {
      const turn = this.#turn(answer.generation);
      turn.show(answer);
      turn.root.hidden = replaced.has(answer.generation);
    }
  }

  #turn(generation) {
    let turn = this.#turns.get(generation);
    if (!turn) {
      turn = new Turn(this.#template.content.firstElementChild.cloneNode(true));
      this.#turns.set(generation, turn);
      this.#list.append(turn.root);
    }
    return turn;
  }
}

/** One prompt and its answer. */
class Turn {
  #answer = null;

  constructor(root) {
    this.root = root;
    for (const name of ['prompt', 'thinking', 'reasoning', 'answer', 'end']) {
      this[name] = root.querySelector(`.${name}`);
    }
    this.summary = root.querySelector('summary');
  }

  show(answer) {
    const grown = answer === this.#answer;
    // A finished answer never changes, and a session may hold hundreds of them.
    if (grown && this.root.dataset.status === answer.status && answer.end) return;
    write(this.prompt, answer.prompt, grown);
    write(this.reasoning, answer.reasoning, grown);
    write(this.answer, answer.text, grown);
    this.thinking.hidden = !answer.reasoning;
    this.summary.textContent = answer.text || answer.end ? 'Thinking' : 'Thinking …';
    this.end.textContent = ending(answer);
    this.root.dataset.status = answer.status;
    this.#answer = answer;
  }
}

/** Set a text. If it has only `grown`, append: that keeps a reader's selection, and costs what is new. */
function write(element, text, grown) {
  const node = element.firstChild ?? element.appendChild(document.createTextNode(''));
  if (!grown) {
    node.data = text;
  } else if (text.length > node.length) {
    node.appendData(text.slice(node.length));
  }
}

/** The line under an answer: who wrote it, and how it ended if not well. */
function ending({ status, end, attempt, provider, model }) {
  const parts = provider === model ? [model] : [provider, model];
  if (attempt > 1) parts.push(`attempt ${attempt}`);
  if (status === 'stopped') parts.push('stopped');
  if (status === 'failed') parts.push(failure(end));
  if (status === 'completed' && !WHOLE.has(end.finishReason ?? '')) {
    parts.push(`ended by ${end.finishReason}`);
  }
  return parts.filter(Boolean).join(' · ');
}

function failure({ error = 'no reason given', code = 'unknown' }) {
  return `failed: ${error} (${code})`;
}
