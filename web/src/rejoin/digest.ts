/** The proof that an answer is whole: the SHA-256 of its text, which its terminal entry carries. */

import type { Answer } from './view'

/** Whether the text is what was written; also where nothing can be proved: no digest, or no crypto on plain HTTP. */
export async function isWhole({ text, end }: Answer): Promise<boolean> {
  if (typeof end?.digest !== 'string' || !globalThis.crypto?.subtle) return true
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  return end.digest === Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
