import { startTransition, useEffect, useState } from 'react'

/** Who waits to be drawn. What came last stands last, where the reader is: it is next. */
const waiting: (() => void)[] = []
let frame = 0

/** Whether this is to be drawn: at once, or else when it is its turn, one in a frame of the screen. */
export function useDrawn(now: boolean): boolean {
  const [drawn, setDrawn] = useState(now)
  if (now && !drawn) setDrawn(true)
  useEffect(() => {
    if (drawn) return
    const draw = () => startTransition(() => setDrawn(true))
    waiting.push(draw)
    frame ||= requestAnimationFrame(next)
    return () => {
      const at = waiting.indexOf(draw)
      if (at >= 0) waiting.splice(at, 1)
    }
  }, [drawn])
  return drawn
}

function next(): void {
  waiting.pop()?.()
  frame = waiting.length > 0 ? requestAnimationFrame(next) : 0
}
