/** Colours for code, by Shiki: loaded when the first code comes, and then a grammar for each language. */

import { createCssVariablesTheme, createHighlighterCore, type HighlighterCore } from 'shiki/core'
import { createJavaScriptRegexEngine } from 'shiki/engine/javascript'
import type { GrammarState, LanguageRegistration, ThemedToken } from 'shiki/core'

import { grammars } from './grammars'

export type Line = readonly ThemedToken[]

// Colours are variables of the page's own style, so that one pass serves light and dark.
const THEME = 'page'
const theme = createCssVariablesTheme({ name: THEME, variablePrefix: '--code-' })

// WebAssembly would need more of the content policy than plain JavaScript does.
let shared: Promise<HighlighterCore> | undefined

/** Lines of code in colour. */
export interface Highlighter {
  of(code: string): Line[]
}

/** A highlighter for one block of code; null for a language that is not known. */
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

/** Code that grows: each whole line is looked at once. */
class Growing implements Highlighter {
  readonly #core: HighlighterCore
  readonly #language: string
  #done = ''
  #lines: Line[] = []
  #state: GrammarState | undefined

  constructor(core: HighlighterCore, language: string) {
    this.#core = core
    this.#language = language
  }

  of(code: string): Line[] {
    if (!code.startsWith(this.#done)) [this.#done, this.#lines, this.#state] = ['', [], undefined]
    const whole = code.slice(this.#done.length, code.lastIndexOf('\n') + 1)
    if (whole) {
      const { tokens, state } = this.#tokens(whole.slice(0, -1))
      this.#lines = [...this.#lines, ...tokens]
      this.#state = state
      this.#done += whole
    }
    const begun = code.slice(this.#done.length)
    return begun ? [...this.#lines, ...this.#tokens(begun).tokens] : this.#lines
  }

  #tokens(code: string): { tokens: Line[], state: GrammarState | undefined } {
    const options = { lang: this.#language, theme: THEME, ...(this.#state && { grammarState: this.#state }) }
    const { tokens, grammarState } = this.#core.codeToTokens(code, options)
    return { tokens, state: grammarState }
  }
}
