import { useEffect, useSyncExternalStore } from 'react'

import { currentLogin, look, subscribe, type Login } from '../login'

/** Who reads. Asked for beside everything else: where no token is needed, nothing waits for the answer. */
export function useLogin(): Login {
  useEffect(() => void look(), [])
  return useSyncExternalStore(subscribe, currentLogin)
}
