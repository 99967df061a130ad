import { useLayoutEffect, useRef, type ReactNode } from 'react'

interface Props {
  label: string
  /** Missing where it can't be closed before something is done. */
  onClose?: () => void
  children: ReactNode
}

/** A card before everything else, which waits meanwhile; the focus returns to where it was. */
export function Modal({ label, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null)
  useLayoutEffect(() => {
    const shown = dialog.current
    show(shown)
    return () => shown?.close()
  }, [])
  const onClosed = () => {
    if (!dialog.current || dialog.current.open) return
    // A browser may close it by itself, when Escape is pressed for the second time.
    if (onClose) onClose()
    else show(dialog.current)
  }
  return <dialog ref={dialog} aria-label={label} onClose={onClosed}>{children}</dialog>
}

function show(dialog: HTMLDialogElement | null): void {
  // A page that is left has emptied itself, and may still hear that nobody is signed in any more.
  if (dialog?.isConnected) dialog.showModal()
}
