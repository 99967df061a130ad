import type { Ref } from 'react'

/** Three lines. */
export const LIST = 'M2 4h12M2 8h12M2 12h12'
/** A tray, and an arrow out of it. */
export const SHARE = 'M8 10V2M5 4.5l3-3 3 3M3 8v6h10V8'
export const CROSS = 'M4 4l8 8M12 4l-8 8'
export const BIN = 'M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.5 9h6l.5-9M6.75 7v4M9.25 7v4'

interface Props {
  label: string
  path: string
  disabled?: boolean
  ref?: Ref<HTMLButtonElement>
  /** Of a button that opens something: which, and whether it is open. */
  controls?: string
  expanded?: boolean
  onClick(): void
}

export function Drawing({ path }: { path: string }) {
  return <svg viewBox="0 0 16 16" aria-hidden="true"><path d={path} /></svg>
}

/** A button whose name is a drawing. */
export function Icon({ label, path, disabled, ref, controls, expanded, onClick }: Props) {
  return (
    <button ref={ref} type="button" className="quiet icon" aria-label={label} aria-controls={controls}
      aria-expanded={expanded} disabled={disabled} onClick={onClick}>
      <Drawing path={path} />
    </button>
  )
}
