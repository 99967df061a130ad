import { useMutation } from '@tanstack/react-query'
import { useEffect, useRef, type MouseEvent, type ReactNode } from 'react'

import { address } from '../address'
import { Alert } from '../Alert'
import { remove } from '../api'
import { useSessions } from '../hooks/useSessions'
import { forgetSession } from '../rejoin'
import { forget, type Recent } from '../sessions'
import { BIN, CROSS, Icon } from './Icon'

interface Props {
  current: string
  /** Shown on a narrow screen; a wide one always has room for it. */
  open: boolean
  onOpen(id: string): void
  onNew(): void
  onClose(): void
  /** What stands below the list. */
  children?: ReactNode
}

/** The recent conversations of this browser. */
export function Conversations({ current, open, onOpen, onNew, onClose, children }: Props) {
  const sessions = useSessions()
  const list = useRef<HTMLElement>(null)
  useEffect(() => {
    if (open) list.current?.focus()
  }, [open])
  const removal = useMutation({
    mutationFn: remove,
    onSuccess: (_, id) => {
      forget(id)
      forgetSession(id)
      if (id === current) onNew()
      else list.current?.focus() // what held it is gone
    },
  })
  return (
    <nav id="conversations" ref={list} aria-label="Conversations" data-open={open} tabIndex={-1}>
      <div className="top">
        <h2>Conversations</h2>
        {open && <Icon label="Close" path={CROSS} onClick={onClose} />}
      </div>
      {removal.isError && <Alert text={`That could not be deleted. ${removal.error.message}`} />}
      <ul>
        {sessions.map((recent) => (
          <Item
            key={recent.id}
            recent={recent}
            current={recent.id === current}
            deleting={removal.isPending && removal.variables === recent.id}
            onOpen={onOpen}
            onDelete={() => {
              if (confirm(`Delete “${recent.title}”? It goes for everybody, and for good.`)) removal.mutate(recent.id)
            }}
          />
        ))}
      </ul>
      {sessions.length === 0 && <p className="none">Your conversations will be listed here.</p>}
      {children}
    </nav>
  )
}

interface ItemProps {
  recent: Recent
  current: boolean
  deleting: boolean
  onOpen(id: string): void
  onDelete(): void
}

function Item({ recent: { id, title }, current, deleting, onOpen, onDelete }: ItemProps) {
  const onClick = (event: MouseEvent) => {
    // With a key held, the browser opens a tab or a window of its own.
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    onOpen(id)
  }
  return (
    <li>
      <a href={address(id)} aria-current={current ? 'page' : undefined} title={title} onClick={onClick}>{title}</a>
      <Icon label={`Delete ${title}`} path={BIN} disabled={deleting} onClick={onDelete} />
    </li>
  )
}
