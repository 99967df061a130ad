// The status line: how the connection is, the figures of the last answer, and what went wrong.

const STATES = { connecting: 'Connecting …', connected: 'Connected', reconnecting: 'Reconnecting …' };

/** The page's one live region: only what differs is written, or it would be read aloud again and again. */
export class Status {
  #connection;
  #notice;

  constructor(connection, notice) {
    this.#connection = connection;
    this.#notice = notice;
  }

  show({ state, view, notice }) {
    write(this.#connection, [STATES[state], ...figures(view.last?.end)].join(' · '));
    write(this.#notice, notice);
  }
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Time to the first token and number of chunks, of a terminal entry that has them. */
function figures(end) {
  const parts = [];
  if (Number.isFinite(end?.ttftMs)) parts.push(`first token ${(end.ttftMs / 1000).toFixed(2)} s`);
  if (Number.isFinite(end?.chunks)) parts.push(end.chunks === 1 ? '1 chunk' : `${end.chunks} chunks`);
  return parts;
}
