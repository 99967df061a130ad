import { useEffect } from 'react'

import type { Answer } from '../rejoin'
import { remember } from '../sessions'
import { useTitle } from './useTitle'

/** A session is on the list of this browser, under its first question, as soon as something was asked in it. */
export function useRemembered(id: string, shown: readonly Answer[]): void {
  useTitle(shown)
  const title = shown[0]?.prompt ?? ''
  const asked = shown.at(-1)?.startedAt ?? ''
  useEffect(() => {
    if (title) remember(id, title, Date.parse(asked) || Date.now())
  }, [id, title, asked])
}
