import { useEffect, useState } from 'react'

/** What a part of the program that is loaded on demand gives; null until it is wanted and there. */
export function useLazy<T extends object>(wanted: boolean, load: () => Promise<T>): T | null {
  const [loaded, setLoaded] = useState<{ by: () => Promise<T>, value: T } | null>(null)
  const there = loaded?.by === load
  const missing = wanted && !there
  useEffect(() => {
    if (!missing) return
    let here = true
    load().then((value) => here && setLoaded({ by: load, value }), () => {
      // Off line, or a newer version has been deployed: the answer is readable without it.
    })
    return () => {
      here = false
    }
  }, [missing, load])
  return there ? loaded.value : null
}
