import { useEffect, useState, type Dispatch, type SetStateAction } from 'react'

const PREFIX = 'rejoin.draft.'

/** The question that is being written: kept over a refresh, gone with the tab. */
export function useDraft(session: string): [string, Dispatch<SetStateAction<string>>] {
  const [draft, setDraft] = useState(() => read(PREFIX + session))
  useEffect(() => write(PREFIX + session, draft), [session, draft])
  return [draft, setDraft]
}

function read(key: string): string {
  try {
    return sessionStorage.getItem(key) ?? ''
  } catch {
    return ''
  }
}

function write(key: string, draft: string): void {
  try {
    if (draft) sessionStorage.setItem(key, draft)
    else sessionStorage.removeItem(key)
  } catch {
    // Forbidden or full: the draft lives as long as the page.
  }
}
