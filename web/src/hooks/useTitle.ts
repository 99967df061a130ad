import { useEffect } from 'react'

import type { Answer } from '../rejoin'

/** The page is called by the first question. */
export function useTitle(shown: readonly Answer[]): void {
  const title = shown[0]?.prompt ?? ''
  useEffect(() => {
    document.title = title ? `${title.slice(0, 60)} – Rejoin` : 'Rejoin'
  }, [title])
}
