import { useEffect, useState } from 'react'

import { copy } from './clipboard'

const SHOWN_MS = 2_000

/** Copies a text, and says for a moment that it did. */
export function CopyButton({ label, text }: { label: string, text: string }) {
  const [said, setSaid] = useState('')
  useEffect(() => {
    if (!said) return
    const timer = setTimeout(() => setSaid(''), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [said])
  const onClick = async () => setSaid(await copy(text) ? 'Copied' : 'Not copied')
  return <button type="button" className="quiet" onClick={() => void onClick()}>{said || label}</button>
}
