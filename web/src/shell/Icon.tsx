import type { Ref } from 'react'

/** Three lines. */
export const LIST = 'M2 4h12M2 8h12M2 12h12'
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

/** A button whose name is a drawing. */
export function Icon({ label, path, disabled, ref, controls, expanded, onClick }: Props) {
  return (
    <button ref={ref} type="button" className="quiet icon" aria-label={label} aria-controls={controls}
      aria-expanded={expanded} disabled={disabled} onClick={onClick}>
      <svg viewBox="0 0 16 16" aria-hidden="true"><path d={path} /></svg>
    </button>
  )
}
