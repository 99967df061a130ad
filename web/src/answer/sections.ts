/**
 * An answer in sections, so that a long one costs no more to draw than a short one: only the last section grows.
 *
 * A cut is made where no Markdown goes across: before a paragraph or heading at the margin, after an empty line, and
 * outside of fences, formulas and HTML.
 */

const SECTION_MIN = 6_000

const FENCE = /^ {0,3}(`{3,}|~{3,})/
const FORMULA = /^\s*\$\$\s*$/
const TAG = /<(\/?)(?:details|div|table|section|ul|ol|dl|blockquote|pre|picture)\b/gi
const FRESH = /^(?:#{1,6} |\p{L}|\*\*|\p{Emoji_Presentation})/u

interface Progress {
  finished: string[]
  /** Where the last section begins. */
  start: number
  /** How far whole lines have been looked at. */
  scanned: number
  /** The marker that opened the fence that this place is in. */
  fence: string
  formula: boolean
  /** Elements of HTML that are still open. */
  depth: number
  blank: boolean
}

const none = (): Progress => (
  { finished: [], start: 0, scanned: 0, fence: '', formula: false, depth: 0, blank: false }
)

/** The sections of a text that grows: those that are finished stay the same strings. */
export class Sections {
  #text = ''
  #at = none()

  of(text: string): string[] {
    // Another text, or an earlier one: React may draw what it had given up.
    if (!text.startsWith(this.#text)) this.#at = none()
    this.#text = text
    for (let end; (end = text.indexOf('\n', this.#at.scanned)) >= 0; this.#at.scanned = end + 1) {
      const line = text.slice(this.#at.scanned, end)
      if (mayCut(this.#at, line)) this.#cut(text)
      pass(this.#at, line)
    }
    return [...this.#at.finished, text.slice(this.#at.start)]
  }

  #cut(text: string): void {
    const at = this.#at
    at.finished.push(text.slice(at.start, at.scanned))
    at.start = at.scanned
  }
}

/** Whether a section may begin with this line. */
function mayCut({ start, scanned, fence, formula, depth, blank }: Progress, line: string): boolean {
  const inside = fence !== '' || formula || depth > 0
  return scanned - start >= SECTION_MIN && blank && !inside && FRESH.test(line)
}

function pass(at: Progress, line: string): void {
  const marker = FENCE.exec(line)?.[1] ?? ''
  if (at.fence) {
    if (marker.startsWith(at.fence) && line.trim() === marker) at.fence = ''
  } else if (marker && !at.formula) {
    at.fence = marker
  } else if (FORMULA.test(line)) {
    at.formula = !at.formula
  } else {
    for (const [, closing] of line.matchAll(TAG)) at.depth = Math.max(0, at.depth + (closing ? -1 : 1))
  }
  at.blank = line.trim() === ''
}
