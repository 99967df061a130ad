import { useEffect, useSyncExternalStore } from 'react'

import { currentLogin, find, subscribe, type Login } from '../login'

/** Who reads. */
export function useLogin(): Login {
  useEffect(() => void find(), [])
  return useSyncExternalStore(subscribe, currentLogin)
}
