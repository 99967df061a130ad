/** Markdown as models write it, in the one way that the renderer knows. */

/** Left as they are: code between fences, closed or not yet, code within a line, and formulas as they should be. */
const KEPT = [
  /^ {0,3}(?<fence>`{3,}|~{3,})[^]*?(?:^ {0,3}\k<fence>[`~]*[ \t]*$|(?![^]))/,
  /(?<ticks>`+)[^`\n]+\k<ticks>/,
  /\$\$[^]*?\$\$/,
]
const DISPLAY = /\\\[(?<display>[^]+?)\\\]/
const INLINE = /\\\((?<inline>[^\n]+?)\\\)/
/** As pandoc has it: no space inside, no digit or letter outside. And no price: $5 and $10 stay money. */
const DOLLARS = /(?<![\\$\w])\$(?![\s$]|\d[\d.,]*[\s,])(?<dollars>(?:[^$\n\\]|\\.)+?)(?<!\s)\$(?![\w$])/

const FORMULA = new RegExp([...KEPT, DISPLAY, INLINE, DOLLARS].map(({ source }) => source).join('|'), 'gm')

/** The text with its formulas, `\(…\)`, `\[…\]` and `$…$`, between `$$`. */
export function withFormulas(text: string): string {
  if (!/\\[([]|\$/.test(text)) return text
  return text.replace(FORMULA, (found: string, ...rest: unknown[]) => {
    const { display, inline, dollars } = rest.at(-1) as Record<string, string | undefined>
    if (display !== undefined) return `\n$$\n${display.trim()}\n$$\n`
    const formula = inline ?? dollars
    return formula === undefined ? found : `$$${formula.trim()}$$`
  })
}

/** Whether there is a formula, whole or half-way. */
export function hasFormula(text: string): boolean {
  return text.includes('$$')
}

/** The text with the notes that nothing in it refers to as plain words: the renderer would leave them out. */
export function withLooseNotes(text: string): string {
  if (!text.includes('[^')) return text
  return text.replace(/^\[(\^[^\]\s]+)\]:/gm, (note: string, name: string) => (
    text.split(`[${name}]`).length > 2 ? note : `\\[${name}]:`
  ))
}
