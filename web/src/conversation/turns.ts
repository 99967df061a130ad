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

/** Each answer that another one goes on with by what its tools gave back, and that one. */
export function continued(shown: readonly Answer[]): ReadonlyMap<number, Answer> {
  const onward = shown.filter((answer) => answer.continues !== undefined)
  return new Map(onward.map((answer) => [answer.after ?? answer.generation - 1, answer]))
}

/** What tools gave back, by the ids of their calls. */
export function results(answer: Answer | undefined): ReadonlyMap<string, string> {
  const told = (answer?.toolResults ?? []) as readonly ({ callId?: unknown, content?: unknown } | null)[]
  return new Map(told.map((result) => [String(result?.callId), String(result?.content ?? '')]))
}
