import { useState } from 'react'

import type { Answer } from '../rejoin'

/** Tells a screen reader that an answer begins and ends: its words, as they come, would only stutter. */
export function Announcer({ answer, live }: { answer: Answer | undefined, live: boolean }) {
  const generation = answer?.generation ?? 0
  // What was there before this page came is no news, unless it still runs.
  const [known, setKnown] = useState<number | null>(null)
  if (live && (known === null || known > generation)) setKnown(answer?.status === 'running' ? generation - 1 : generation)
  const news = answer && known !== null && generation > known
  return (
    <p className="unseen" aria-live="polite">
      {/* A new element for each answer: two that end alike are told of twice. */}
      {news && <span key={generation}>{said(answer)}</span>}
    </p>
  )
}

function said({ status, end }: Answer): string {
  if (status === 'running') return 'The answer has begun.'
  if (status === 'completed') return 'The answer is complete.'
  if (status === 'stopped') return 'The answer was stopped.'
  return ['The answer failed.', end?.error].filter(Boolean).join(' ')
}
