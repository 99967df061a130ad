import type { Answer, View } from '../rejoin'

/** The answers that are shown: all but those in whose place another one stands. */
export function turns(view: View): Answer[] {
  const answers = [...view.answers.values()]
  const replaced = new Set(answers.map((answer) => answer.replaces))
  return answers.filter((answer) => !replaced.has(answer.generation))
}

/** As many characters fill a screen, even a large one. */
const SCREEN = 8_000

/** The first of the turns at the end that fill a screen: there the reader begins. */
export function firstInSight(shown: readonly Answer[]): number {
  let length = 0
  return shown.findLast((answer) => (length += answer.text.length) >= SCREEN)?.generation ?? 0
}
