import { useSyncExternalStore } from 'react'

import { recentSessions, subscribe, type Recent } from '../sessions'

/** The sessions that the reader has seen lately, youngest question first. */
export function useSessions(): readonly Recent[] {
  return useSyncExternalStore(subscribe, recentSessions)
}
