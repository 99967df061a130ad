import type { ReactNode, RefObject } from 'react'

import { Drawing, Icon, LIST, SHARE } from './Icon'

interface Props {
  toggle: RefObject<HTMLButtonElement | null>
  listed: boolean
  onToggle(): void
  onNew(): void
  /** Missing where nothing can be shared. */
  onShare: (() => void) | undefined
  /** What else there is to say. */
  children: ReactNode
}

/** The name of the page, and the way to a new conversation; on a narrow screen also to the list of them. */
export function Header({ toggle, listed, onToggle, onNew, onShare, children }: Props) {
  return (
    <header>
      <Icon ref={toggle} label="Conversations" path={LIST} controls="conversations" expanded={listed} onClick={onToggle} />
      <h1>Rejoin</h1>
      {children}
      {onShare && (
        <button type="button" className="share" aria-label="Share" onClick={onShare}>
          <Drawing path={SHARE} />
          <span>Share</span>
        </button>
      )}
      <button type="button" onClick={onNew}>New conversation</button>
    </header>
  )
}
