/**
 * Where a line of Markdown stands, and whether a section may begin with it.
 *
 * At best that is where no Markdown goes across: at a paragraph or heading at the margin, after an empty line, outside
 * of fences, formulas and HTML. What grows on without such a place is made two of its kind: a list at an item, a table
 * at a row, under the same head; at last anything at the end of a line, or of a word.
 */

const ENOUGH = 6_000
const LONG = 7_000
const TOO_LONG = 9_000

const FENCE = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/
/** Of an item, the fence may stand as deep as the item does, and beside its very marker. */
const ITEM_FENCE = /^\s*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(`{3,}(?=[^`]*$)|~{3,})/
const FORMULA = /^\s*\$\$\s*$/
const TAG = /<(\/?)(?:details|div|table|section|ul|ol|dl|blockquote|pre|picture|script|style|textarea)\b|<!--|<\?|(-->|\?>)/gi
const HTML = /^ {0,3}</
const FRESH = /^(?:#{1,6} |\p{L}|\*\*|\p{Emoji_Presentation})/u
const ANY_ITEM = /^( {0,3}(?:[-*+]|\d{1,9}[.)]))(?:( {1,4})(?! )|\s+)(?=\S)/
const ITEM = /^(?:[-*+]|(?<number>\d{1,9})[.)])[ \t]+\S/
const UNDER_HEAD = /^ {0,3}\|?[ \t:|-]*-[ \t:|-]*\s*$/

export interface Place {
  /** The marker of the fence that this is in, and the line that has opened it. */
  readonly fence: string
  readonly opened: string
  /** That fence stands at the margin: in it there is code, whatever stands before it. */
  readonly code: boolean
  readonly formula: boolean
  /** How far the words of the outermost item are indented that this may be in; 0 for none. */
  readonly list: number
  /** Elements of HTML that are still open. */
  readonly depth: number
  readonly html: boolean
  /** The two lines that head the table that this is in. */
  readonly head: string
  /** The line before this one, and the last one at the margin. */
  readonly before: string
  readonly margin: string
}

export const START: Place = {
  fence: '', opened: '', code: false, formula: false, list: 0, depth: 0, html: false, head: '', before: '', margin: '',
}

/** What a section that begins with this line has to begin with before it; null if none should, the last one being so long. */
export function opening(place: Place, line: string, length: number): string | null {
  const { fence, opened, code, formula, depth, head, before } = left(place, line)
  if (length < ENOUGH || code) return null
  const inside = fence !== '' || formula || depth > 0
  if (!inside && !before.trim() && FRESH.test(line)) return ''
  if (before && !before.endsWith('\n')) return ''
  if (length >= LONG && !inside && (head || follows(line, place.margin))) return head
  if (length >= TOO_LONG) return fence ? opened : formula ? '$$\n' : head
  return null
}

/** As much of a line as a section holds, where that goes on and on; else empty. */
export function broken({ fence, formula }: Place, text: string, from: number, end: number): string {
  if ((end || text.length) - from <= TOO_LONG || fence || formula) return ''
  const space = text.lastIndexOf(' ', from + LONG)
  const to = space > from ? space + 1 : from + LONG
  // No character is torn apart.
  return text.slice(from, /[\uDC00-\uDFFF]/.test(text[to] ?? '') ? to + 1 : to)
}

/** The place after a line. */
export function passed(former: Place, line: string): Place {
  const place = left(former, line)
  const list = place.fence || place.formula ? place.list : listed(place, line)
  const marker = (list > 0 ? ITEM_FENCE : FENCE).exec(line)?.[1] ?? ''
  const blank = line.trim() === ''
  const next = {
    ...place,
    list,
    before: line,
    margin: /^\S/.test(line) ? line : place.margin,
    html: !blank && (place.html || HTML.test(line)),
  }
  if (place.fence) {
    const closed = marker.startsWith(place.fence) && line.trim() === marker
    return closed ? { ...next, fence: '', opened: '', code: false } : next
  }
  if (marker && !place.formula) {
    const code = line.startsWith(marker) && !place.html && place.depth === 0
    return { ...next, fence: marker, opened: line, code, head: '' }
  }
  if (FORMULA.test(line)) return { ...next, formula: !place.formula }
  if (place.formula) return next
  return { ...next, depth: depth(place.depth, line), head: blank ? '' : place.head || head(place.before, line) }
}

/** The place for this line: what is open in an item ends with the item, closed or not. */
function left(place: Place, line: string): Place {
  const ended = (place.fence !== '' || place.formula) && line.trim() !== '' && indent(line) < place.list
  return ended ? { ...place, fence: '', opened: '', formula: false, list: 0 } : place
}

/** The `list` of a line outside of fences. What is indented less is no more of it, unless it goes on with a paragraph. */
function listed({ list, before }: Place, line: string): number {
  if (line.trim() === '' || (list > 0 && indent(line) >= list)) return list
  const [, marker, space = ' '] = ANY_ITEM.exec(line) ?? []
  if (marker) return marker.length + space.length
  return before.trim() === '' || FENCE.test(line) || FORMULA.test(line) || /^[#>]/.test(line) ? 0 : list
}

function indent(line: string): number {
  return /^[ \t]*/.exec(line)![0].replaceAll('\t', '    ').length
}

function depth(before: number, line: string): number {
  let after = before
  for (const [, closing, end] of line.matchAll(TAG)) after = Math.max(0, after + (closing || end ? -1 : 1))
  return after
}

/** Both lines, if they are the head of a table that may stand once more. */
function head(before: string, line: string): string {
  if (!before.includes('|') || !line.includes('|') || !UNDER_HEAD.test(line)) return ''
  return before.length + line.length < ENOUGH / 4 ? before + line : ''
}

/** Whether this is the next item of the list that the other one is an item of. */
function follows(line: string, other: string): boolean {
  const [item, former] = [ITEM.exec(line)?.groups, ITEM.exec(other)?.groups]
  if (!item || !former) return false
  return item.number === (former.number && String(Number(former.number) + 1))
}
