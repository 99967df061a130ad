import type { ReactNode } from 'react'

/** What went wrong, and buttons for what can be done about it. */
export function Alert({ text, children }: { text: string, children?: ReactNode }) {
  return (
    <div role="alert" className="alert">
      <p>{text}</p>
      {children && <div className="buttons">{children}</div>}
    </div>
  )
}
