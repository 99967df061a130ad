/**
 * An answer in sections, so that a long one costs no more to draw than a short one: only the last section grows.
 *
 * Code at the margin is told apart from the rest: however long it grows, the Markdown around it stays as it is.
 */

import { mark } from './codes'
import { START, broken, opening, passed, type Place } from './place'

export interface Part {
  /** Markdown, with a mark in place of each piece of code. */
  readonly text: string
  readonly codes: readonly string[]
}

/** The sections of a text that grows: those that are finished stay the same objects. */
export class Sections {
  #text = ''
  #finished: Part[] = []
  #place: Place = START
  /** Of the section that grows, what has been taken over, and from where on the text goes on with it. */
  #told = ''
  #codes: string[] = []
  #from = 0
  /** How far lines have been looked at. */
  #scanned = 0

  of(text: string): Part[] {
    // Another text, or an earlier one: React may draw what it had given up.
    if (!text.startsWith(this.#text)) this.#restart()
    this.#text = text
    for (let line; (line = this.#next()); this.#pass(line)) {
      const again = opening(this.#place, line, this.#told.length + this.#scanned - this.#from)
      if (again !== null) this.#cut(again)
    }
    return [...this.#finished, this.#growing()]
  }

  #restart(): void {
    [this.#finished, this.#place, this.#told, this.#codes, this.#from, this.#scanned] = [[], START, '', [], 0, 0]
  }

  /** The next whole line, or as much of an endless one as a section holds; empty if there is none. */
  #next(): string {
    const end = this.#text.indexOf('\n', this.#scanned) + 1
    return broken(this.#place, this.#text, this.#scanned, end) || this.#text.slice(this.#scanned, end || this.#scanned)
  }

  #pass(line: string): void {
    const start = this.#scanned
    const { code } = this.#place
    this.#place = passed(this.#place, line)
    this.#scanned += line.length
    if (this.#place.code === code) return
    if (code) {
      this.#codes.push(this.#text.slice(this.#from, start))
      this.#from = start
    } else {
      this.#told += `${this.#text.slice(this.#from, this.#scanned)}${mark(this.#codes.length)}\n`
      this.#from = this.#scanned
    }
  }

  #cut(again: string): void {
    this.#finished.push({ text: this.#told + this.#text.slice(this.#from, this.#scanned), codes: this.#codes })
    this.#told = again
    this.#codes = []
    this.#from = this.#scanned
  }

  #growing(): Part {
    const rest = this.#text.slice(this.#from)
    if (this.#place.code) return { text: this.#told, codes: [...this.#codes, rest] }
    return { text: this.#told + rest, codes: [...this.#codes] }
  }
}
