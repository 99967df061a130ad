import { useEffect, useState } from 'react'

/** What a part of the program that is loaded on demand gives; null until it is wanted and there. */
export function useLazy<T extends object>(wanted: boolean, load: () => Promise<T>): T | null {
  const [loaded, setLoaded] = useState<T | null>(null)
  const missing = wanted && !loaded
  useEffect(() => {
    if (!missing) return
    let here = true
    load().then((value) => here && setLoaded(value), () => {
      // Off line, or a newer version has been deployed: the answer is readable without it.
    })
    return () => {
      here = false
    }
  }, [missing, load])
  return loaded
}
