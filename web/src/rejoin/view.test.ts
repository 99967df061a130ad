/** The fold: the cases that it shares with Python's, and its own. */

import { expect, test } from 'vitest'
import { EMPTY, fold, isAfter, last, type Event, type View } from './view'

interface Case {
  about: string
  frames: [string, Event][]
  cursor: string
  answers: unknown[]
}

const cases = import.meta.glob<Case>('../../../tests/contract/*.json', { eager: true, import: 'default' })

const chunk = (generation: number, content: unknown): Event => ({ type: 'chunk', generation, content })
const started = (generation: number, more = {}): Event => (
  { type: 'metadata', status: 'started', generation, attempt: 1, ...more }
)

const folded = (frames: [string, Event][], view: View = EMPTY): View => (
  frames.reduce((held, [id, event]) => fold(held, id, event), view)
)

const STORY: [string, Event][] = [
  ['1-0', started(1, { prompt: 'Why?' })],
  ['1-1', { type: 'reasoning', generation: 1, content: 'Hm. ' }],
  ['1-9', chunk(1, 'Be')],
  ['1-10', chunk(1, 'cause.')],
  ['1-11', { type: 'metadata', status: 'completed', generation: 1, chunks: 2 }],
  ['2-0', started(2, { prompt: 'And then?' })],
  ['2-1', chunk(2, 'Half an ')],
]

test('there are shared cases', () => expect(Object.keys(cases).length).toBeGreaterThan(5))

for (const [path, { about, frames, cursor, answers }] of Object.entries(cases)) {
  test(`${path.split('/').pop()}: ${about}`, () => {
    const view = folded(frames)
    expect({ cursor: view.cursor, answers: [...view.answers.values()] }).toEqual({ cursor, answers })
  })
}

test('cut anywhere and told again from any point before, a story is the same', () => {
  const whole = folded(STORY)
  for (let cut = 0; cut <= STORY.length; cut++) {
    for (let back = 0; back <= cut; back++) {
      expect(folded(STORY.slice(back), folded(STORY.slice(0, cut)))).toEqual(whole)
    }
  }
})

test('an answer that has not changed is the same object as before, so that nobody draws it again', () => {
  const before = folded(STORY)
  const after = fold(before, '2-2', chunk(2, 'answer.'))
  expect(after.answers.get(1)).toBe(before.answers.get(1))
  expect(last(after)?.text).toBe('Half an answer.')
  expect(last(before)?.text).toBe('Half an ')
})

test('what was passed already changes nothing at all', () => {
  const view = folded(STORY)
  expect(fold(view, '1-10', chunk(1, 'again'))).toBe(view)
})

test('a reset forgets everything, though EventSource repeats the last id on it', () => {
  expect(fold(folded(STORY), '2-1', { type: 'reset', reason: 'unknown_position' })).toBe(EMPTY)
})

test('ids are compared as numbers of 64 bits', () => {
  expect(isAfter('1767225600000-10', '1767225600000-9')).toBe(true)
  expect(isAfter('18446744073709551615-18446744073709551615', '18446744073709551615-18446744073709551614')).toBe(true)
  expect(isAfter('5-5', '5-5')).toBe(false)
  expect(isAfter('0-0', '')).toBe(true)
})

test('an id that is none is refused', () => {
  expect(() => fold(EMPTY, 'x-1', chunk(1, 'a'))).toThrow(SyntaxError)
})
