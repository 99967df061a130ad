/** Work that can wait, a little at a time: keys, scrolling and new words come in between. */

import { startTransition, useEffect, useState } from 'react'

/** Half a frame of the screen. */
export const BUDGET_MS = 8

type Work = () => void | Promise<void>

/** What comes last stands last, where the reader is: it is next. */
const waiting: Work[] = []
let busy = false

/** Do this when its turn comes; the result takes it back. */
export function inTurn(work: Work): () => void {
  waiting.push(work)
  if (!busy) void all()
  return () => {
    const at = waiting.indexOf(work)
    if (at >= 0) waiting.splice(at, 1)
  }
}

async function all(): Promise<void> {
  busy = true
  do {
    await new Promise((resolve) => setTimeout(resolve))
    try {
      await waiting.pop()?.()
    } catch (error) {
      // Told, and no more: the others still wait.
      reportError(error)
    }
  } while (waiting.length > 0)
  busy = false
}

/** Whether this is to be drawn: at once, or else when its turn comes. */
export function useDrawn(now: boolean): boolean {
  const [drawn, setDrawn] = useState(now)
  if (now && !drawn) setDrawn(true)
  useEffect(() => {
    if (drawn) return
    let settle = () => {}
    const cancel = inTurn(() => new Promise((resolve) => {
      // The next one waits until this one stands: together they would make one long task.
      settle = resolve
      startTransition(() => setDrawn(true))
    }))
    return () => {
      cancel()
      settle()
    }
  }, [drawn])
  return drawn
}
