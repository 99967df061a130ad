import { useSyncExternalStore } from 'react'

import { recentSessions, subscribe, type Recent } from '../sessions'

/** The sessions that this browser has seen lately, youngest question first. */
export function useSessions(): readonly Recent[] {
  return useSyncExternalStore(subscribe, recentSessions)
}
