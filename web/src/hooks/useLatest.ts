import { useCallback, useEffect, useState } from 'react'

/** A function that stays the same, and does what the last render wanted. */
export function useLatest<A>(act: (argument: A) => void): (argument: A) => void {
  const [held] = useState(() => ({ act }))
  useEffect(() => {
    held.act = act
  })
  return useCallback((argument: A) => held.act(argument), [held])
}
