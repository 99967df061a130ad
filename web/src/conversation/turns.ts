import type { Answer, View } from '../rejoin'

/** The answers that are shown: all but those in whose place another one stands. */
export function turns(view: View): Answer[] {
  const answers = [...view.answers.values()]
  const replaced = new Set(answers.map((answer) => answer.replaces))
  return answers.filter((answer) => !replaced.has(answer.generation))
}
