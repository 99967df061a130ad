/** Why a connection did not open: EventSource tells of no status, so the same is asked once more. */

import { text, type Event } from './view'

/** The code by which the server refuses; `ended` where nothing more will come. Empty for what may pass. */
export async function refusal(url: URL, withCredentials: boolean, signal: AbortSignal): Promise<string> {
  try {
    const response = await fetch(url, { credentials: withCredentials ? 'include' : 'same-origin', signal })
    const { status } = response
    if (status === 204) return 'ended'
    // Whoever has a link is told that it leads nowhere; without one, a session may still begin.
    if (status !== 401 && !(status === 404 && url.searchParams.has('share'))) return ''
    const body = await response.json().catch(() => null) as { error?: Event } | null
    return text(body?.error?.code) || 'unauthorized'
  } catch {
    return '' // out of reach, or no longer of interest
  }
}
