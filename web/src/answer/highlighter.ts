/** Colours for code, by Shiki: loaded when the first code comes, and then a grammar for each language. */

import { createCssVariablesTheme, createHighlighterCore, type HighlighterCore } from 'shiki/core'
import { createJavaScriptRegexEngine } from 'shiki/engine/javascript'
import type { GrammarState, LanguageRegistration, ThemedToken } from 'shiki/core'

import { grammars } from './grammars'
import { BUDGET_MS } from './turn'

export type Line = readonly ThemedToken[]

// Colours are variables of the page's own style, so that one pass serves light and dark.
const THEME = 'page'
const theme = createCssVariablesTheme({ name: THEME, variablePrefix: '--code-' })

/** What is longer was not written to be read. */
const LINE_MAX = 1_000
/** As many blocks may change at once while code is being written. */
const WRITTEN = 2

// WebAssembly would need more of the content policy than plain JavaScript does.
let shared: Promise<HighlighterCore> | undefined

/** Code in colour, as far as there was time for. */
export interface Coloured {
  readonly blocks: readonly (readonly Line[])[]
  /** There is more to be coloured, next time. */
  readonly more: boolean
}

export interface Highlighter {
  /** What is in colour already, and what has been written since. */
  of(blocks: readonly string[]): Coloured
  /** Take it a little further. */
  goOn(blocks: readonly string[]): void
}

/** A highlighter for one piece of code; null for a language that is not known. */
export async function highlighter(language: string): Promise<Highlighter | null> {
  const grammar = grammars[language]
  if (!grammar) return null
  shared ??= createHighlighterCore({
    themes: [theme],
    langs: [],
    engine: createJavaScriptRegexEngine({ forgiving: true }),
  })
  const core = await shared
  const registrations = (await grammar()).default as LanguageRegistration[]
  await core.loadLanguage(registrations)
  return new Growing(core, registrations.at(-1)!.name)
}

interface Done {
  readonly block: string
  readonly lines: Line[]
  readonly state: GrammarState | undefined
}

/** Code that grows: each whole block is looked at once, and only so many at a time. */
class Growing implements Highlighter {
  readonly #core: HighlighterCore
  readonly #language: string
  #done: Done[] = []
  #begun = false

  constructor(core: HighlighterCore, language: string) {
    this.#core = core
    this.#language = language
  }

  of(blocks: readonly string[]): Coloured {
    this.#keep(blocks)
    // What grows before the reader's eyes must not lose its colours for a moment.
    if (this.#begun && blocks.length - this.#done.length <= WRITTEN) this.#colour(blocks, Infinity)
    return { blocks: this.#done.map(({ lines }) => lines), more: this.#done.length < blocks.length }
  }

  goOn(blocks: readonly string[]): void {
    this.#begun = true
    this.#keep(blocks)
    this.#colour(blocks, performance.now() + BUDGET_MS)
  }

  /** Only what is still so. */
  #keep(blocks: readonly string[]): void {
    const other = this.#done.findIndex(({ block }, index) => block !== blocks[index])
    if (other >= 0) this.#done.length = other
  }

  #colour(blocks: readonly string[], until: number): void {
    for (const block of blocks.slice(this.#done.length)) {
      this.#done.push(this.#coloured(block, this.#done.at(-1)?.state))
      if (performance.now() > until) break
    }
  }

  #coloured(block: string, state: GrammarState | undefined): Done {
    const options = { lang: this.#language, theme: THEME, tokenizeMaxLineLength: LINE_MAX }
    const { tokens, grammarState } = this.#core.codeToTokens(
      block.replace(/\n$/, ''), { ...options, ...(state && { grammarState: state }) },
    )
    return { block, lines: tokens, state: grammarState }
  }
}
