/** Which answers are shown, and which of them goes on with what another one's tools gave back. */

import { expect, test } from 'vitest'

import { EMPTY, fold, type Event } from '../rejoin/view'
import { continued, results, turns } from './turns'

const started = (generation: number, more = {}): Event => ({ type: 'metadata', status: 'started', generation, ...more })

const shown = (...events: Event[]) => turns(events.reduce((view, event, at) => fold(view, `1-${at}`, event), EMPTY))

const given = [{ callId: 'a', content: '7' }]

test('an answer goes on with the one before it, or with the one that it is after', () => {
  const answers = shown(
    started(1), started(2, { continues: 1, toolResults: given }), started(3), started(4, { after: 1, continues: 1 }),
    started(5, { after: 3 }),
  )
  expect([...continued(answers)].map(([from, answer]) => [from, answer.generation])).toEqual([[1, 4]])
  expect([...continued(answers.slice(0, 3))].map(([from, answer]) => [from, answer.generation])).toEqual([[1, 2]])
})

test('results are known by the ids of their calls', () => {
  const [, answer] = shown(started(1), started(2, { continues: 1, toolResults: [...given, null, {}] }))
  expect(results(answer).get('a')).toBe('7')
  expect(results(answer).get('b')).toBeUndefined()
  expect(results(undefined).size).toBe(0)
})

test('one that stands in the place of another is shown alone', () => {
  expect(shown(started(1), started(2, { replaces: 1 })).map((answer) => answer.generation)).toEqual([2])
})
