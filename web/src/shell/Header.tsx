import type { RefObject } from 'react'

import { Icon, LIST } from './Icon'

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
      <Icon ref={toggle} label="Conversations" path={LIST} controls="conversations" expanded={listed} onClick={onToggle} />
      <h1>Rejoin</h1>
      <button type="button" onClick={onNew}>New conversation</button>
    </header>
  )
}
