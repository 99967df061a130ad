/** Colours for code, by Shiki: loaded when the first code comes, and then a grammar for each language. */

import { createCssVariablesTheme, createHighlighterCore, type HighlighterCore } from 'shiki/core'
import { createJavaScriptRegexEngine } from 'shiki/engine/javascript'
import type { GrammarState, LanguageRegistration, ThemedToken } from 'shiki/core'

import { grammars } from './grammars'

export type Line = readonly ThemedToken[]

// Colours are variables of the page's own style, so that one pass serves light and dark.
const THEME = 'page'
const theme = createCssVariablesTheme({ name: THEME, variablePrefix: '--code-' })

/** Half a frame of the screen. */
const BUDGET_MS = 8
/** What is longer was not written to be read. */
const LINE_MAX = 1_000

// WebAssembly would need more of the content policy than plain JavaScript does.
let shared: Promise<HighlighterCore> | undefined

/** Code in colour, as far as there was time for. */
export interface Coloured {
  readonly blocks: readonly (readonly Line[])[]
  /** There is more to be coloured, next time. */
  readonly more: boolean
}

export interface Highlighter {
  of(blocks: readonly string[]): Coloured
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

  constructor(core: HighlighterCore, language: string) {
    this.#core = core
    this.#language = language
  }

  of(blocks: readonly string[]): Coloured {
    const until = performance.now() + BUDGET_MS
    let same = 0
    while (same < blocks.length && this.#done[same]?.block === blocks[same]) same++
    this.#done.length = same
    for (const block of blocks.slice(same)) {
      this.#done.push(this.#coloured(block, this.#done.at(-1)?.state))
      if (performance.now() > until) break
    }
    return { blocks: this.#done.map(({ lines }) => lines), more: this.#done.length < blocks.length }
  }

  #coloured(block: string, state: GrammarState | undefined): Done {
    const options = { lang: this.#language, theme: THEME, tokenizeMaxLineLength: LINE_MAX }
    const { tokens, grammarState } = this.#core.codeToTokens(
      block.replace(/\n$/, ''), { ...options, ...(state && { grammarState: state }) },
    )
    return { block, lines: tokens, state: grammarState }
  }
}
