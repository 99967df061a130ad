/** localStorage, which may be forbidden or full: then nothing is remembered, and the page works on. */

export function recall(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

export function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    // The address alone still carries the session.
  }
}

/** Drop what this tab alone has kept: words and drafts. */
export function forgetAll(): void {
  try {
    sessionStorage.clear()
  } catch {
    // Forbidden: then nothing is there.
  }
}
