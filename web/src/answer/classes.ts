/** Class names of the renderer, one after the other: what `tailwind-merge` would sort out is not in use here. */

export function twMerge(...names: string[]): string {
  return names.filter(Boolean).join(' ')
}
