/** The code of a section, apart from its Markdown, in which each piece has a mark. */

import { createContext, useContext } from 'react'

/** From the private use area: it means nothing in Markdown. A text that has it shows code of its own once more, no worse. */
const MARK = /\uE000(\d+)\uE000/g

export const Codes = createContext<readonly string[]>([])

export function mark(index: number): string {
  return `\uE000${index}\uE000`
}

/** A text from a block of code: code itself, or the mark of some. */
export function useCode(text: string): string {
  return withCodes(text, useContext(Codes))
}

/** Words and marks by turns, words first. */
export function apart(text: string): string[] {
  return text.split(/(\uE000\d+\uE000)/)
}

/** The text with its code in the place of the marks. */
export function withCodes(text: string, codes: readonly string[]): string {
  return text.replaceAll(MARK, (found: string, index: string) => codes[Number(index)] ?? found)
}
