/** What a browser and a tab keep; it may be forbidden or full: then nothing is remembered, and the page works on. */

let owner: string | null = null

/** From now on this is who reads. */
export function nameOwner(name: string): void {
  owner = name
}

/** Under which key the reader's own is kept: everyone who signs in has theirs. */
export function own(key: string): string {
  return owner === null ? key : `${key} ${owner}`
}

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

export function drop(key: string): void {
  try {
    localStorage.removeItem(key)
  } catch {
    // Forbidden: then nothing is there.
  }
}

/** Of this tab alone. */
export function recallHere(key: string): string | null {
  try {
    return sessionStorage.getItem(key)
  } catch {
    return null
  }
}

/** For this tab alone. */
export function keepHere(key: string, value: string): void {
  try {
    sessionStorage.setItem(key, value)
  } catch {
    // It lives as long as the page.
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
