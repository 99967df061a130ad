// What the page asks of generate-stream: a question, a stop, the list of models.

import { nanoid } from './vendor/nanoid.js';

const RETRIES = 3;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5000;
const TIMEOUT_MS = 20000;
const AWAY = new Set([502, 503]);

/** The server said no, or could not be reached (`code` is then `unreachable`); the message is for people. */
export class Refusal extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** The last question whose fate is unknown: asked again, it goes out under the same key, for one answer. */
let unsettled = { body: '', key: '' };

/** Ask, calling `onRetry` before each retry; answers `{sessionId, generation, streamUrl}`. Throws Refusal. */
export async function ask(question, onRetry) {
  const body = JSON.stringify(question);
  if (unsettled.body !== body) unsettled = { body, key: nanoid() };
  const reply = await post('/api/generate-stream', body, { 'Idempotency-Key': unsettled.key }, onRetry);
  unsettled = { body: '', key: '' };
  return reply;
}

/** Stop one generation; answers `{stopped: false}` if it had ended. Throws Refusal. */
export function stop(sessionId, generation) {
  return post('/api/stop-stream', JSON.stringify({ sessionId, generation }));
}

/** The configured providers, `{default, providers}`. Throws Refusal. */
export async function models() {
  return settle(await send('/api/models', {}));
}

async function post(path, body, headers = {}, onRetry = () => {}) {
  const request = { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body };
  for (let tried = 0; ; tried++) {
    const reply = await send(path, request);
    if (tried === RETRIES || (reply && !AWAY.has(reply.status))) return settle(reply);
    onRetry();
    await pause(reply, tried);
  }
}

/** One try, body included: `{status, retryAfterMs, body}`, or null when the network failed. */
async function send(path, request) {
  try {
    const response = await fetch(path, { ...request, signal: AbortSignal.timeout(TIMEOUT_MS) });
    const retryAfterMs = 1000 * Number(response.headers.get('Retry-After') ?? 0) || 0;
    return { status: response.status, retryAfterMs, body: read(await response.text()) };
  } catch {
    return null;
  }
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null; // a proxy's own error page
  }
}

function settle(reply) {
  if (!reply) throw new Refusal('unreachable', 'The server cannot be reached.');
  const { status, body } = reply;
  if (status >= 200 && status < 300 && body) return body;
  const { code = `http_${status}`, message = `The server answered ${status}.` } = body?.error ?? {};
  throw new Refusal(code, message);
}

function pause(reply, tried) {
  const ownMs = FIRST_PAUSE_MS * 2 ** tried * (1 + Math.random());
  const waitMs = Math.min(LONGEST_PAUSE_MS, Math.max(ownMs, reply?.retryAfterMs ?? 0));
  return new Promise((resolve) => setTimeout(resolve, waitMs));
}
