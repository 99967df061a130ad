import type { RefObject } from 'react'

interface Props {
  toggle: RefObject<HTMLButtonElement | null>
  listed: boolean
  onToggle(): void
  onNew(): void
}

/** The name of the page, and the way to a new conversation; on a narrow screen also to the list of them. */
export function Header({ toggle, listed, onToggle, onNew }: Props) {
  return (
    <header>
      <button ref={toggle} type="button" className="quiet list" aria-label="Conversations" aria-expanded={listed}
        aria-controls="conversations" onClick={onToggle}>
        <svg viewBox="0 0 16 16" aria-hidden="true"><path d="M2 4h12M2 8h12M2 12h12" /></svg>
      </button>
      <h1>Rejoin</h1>
      <button type="button" onClick={onNew}>New conversation</button>
    </header>
  )
}
