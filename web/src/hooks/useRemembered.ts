import { useEffect, useSyncExternalStore } from 'react'

import { currentLogin, subscribe } from '../login'
import type { Answer } from '../rejoin'
import { remember } from '../sessions'
import { useTitle } from './useTitle'

/** A session is on the reader's list, under its first question, as soon as something was asked in it. */
export function useRemembered(id: string, shown: readonly Answer[]): void {
  useTitle(shown)
  const title = shown[0]?.prompt ?? ''
  const asked = shown.at(-1)?.startedAt ?? ''
  // Until then it would be on nobody's list, or on another's.
  const { known } = useSyncExternalStore(subscribe, currentLogin)
  useEffect(() => {
    if (title && known) remember(id, title, Date.parse(asked) || Date.now())
  }, [id, title, asked, known])
}
