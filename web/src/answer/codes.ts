/** The code of a section, apart from its Markdown, in which each piece has a mark. */

import { createContext, useContext } from 'react'

/** From the private use area: it means nothing in Markdown. A text that has it shows code of its own once more, no worse. */
const MARK = /\uE000(\d+)\uE000/
const NOTHING_ELSE = new RegExp(`^${MARK.source}$`)

export const Codes = createContext<readonly string[]>([])

export function mark(index: number): string {
  return `\uE000${index}\uE000`
}

/** The code that a text is the mark of; else it is code itself. */
export function useCode(text: string): string {
  const codes = useContext(Codes)
  return NOTHING_ELSE.test(text) ? withCodes(text, codes) : text
}

/** The text with its code in the place of the marks. */
export function withCodes(text: string, codes: readonly string[]): string {
  return text.replaceAll(new RegExp(MARK, 'g'), (found: string, index: string) => codes[Number(index)] ?? found)
}
