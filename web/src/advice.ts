/** What to do about an error, by its code. The server says what happened; this says what helps. */

const ADVICE: Record<string, string> = {
  unreachable: 'Your question is kept here. Look at your connection, then try again.',
  session_full: 'Begin a new conversation.',
  prompt_too_large: 'Shorten the question, or split it.',
  body_too_large: 'Shorten the question, or split it.',
  draining: 'Try again in a moment.',
  storage_full: 'Try again later, or delete conversations that are no longer needed.',
  too_many_running: 'Try again in a moment.',
  too_many_starts: 'Wait a minute, then try again.',
  too_many_running_of_owner: 'Wait for another answer of yours to end, or stop it.',
  too_many_running_of_address: 'Wait for another answer to end, or stop it.',
  too_many_tokens: 'Come back tomorrow.',
  origin_not_allowed: 'Open this page at its own address.',
  token_expired: 'Sign in again with a new one.',
  cookie_refused: 'It keeps sign-ins over HTTPS only, and on localhost.',
  redis_unavailable: 'Try again in a moment.',
  redis_refused: 'Try again in a moment.',
  provider_unknown: 'Choose another model.',
  replaces_unknown: 'Reload the page, then ask anew.',
  provider_auth: 'Whoever runs this server has to give it a valid key. Another model may work.',
  provider_rate_limited: 'Wait a minute, or choose another model.',
  provider_overloaded: 'Wait a moment, or choose another model.',
  provider_timeout: 'Try again, or choose another model.',
  provider_cut: 'Try again.',
  provider_refused: 'Change the question, or choose another model.',
  provider_error: 'Try again, or choose another model.',
  producer_lost: 'Try again.',
}

/** A sentence, or nothing where nothing is known to help. */
export function advice(code: unknown): string {
  return ADVICE[String(code)] ?? ''
}
