/** The memory of a tab: what it kept is there again, and nothing that it did not keep so. */

import { expect, onTestFinished, test, vi } from 'vitest'
import { fakeBrowser } from './fakes'
import { forgetSession, Memory } from './memory'
import { EMPTY, fold, type View } from './view'

const KEY = 'rejoin.view.session'
const SAVE_MS = 2_000

const VIEW: View = [
  { type: 'metadata', status: 'started', generation: 1, attempt: 1, prompt: 'Why?', replaces: null },
  { type: 'chunk', generation: 1, content: 'Because.' },
  { type: 'metadata', status: 'completed', generation: 1, digest: '…' },
  { type: 'metadata', status: 'started', generation: 2, attempt: 1, prompt: 'And?', replaces: 1 },
].reduce((view, event, seq) => fold(view, `1-${seq}`, event), EMPTY)

function opened(): Memory {
  const memory = new Memory('session')
  onTestFinished(() => memory.close())
  return memory
}

test('what was kept is there again, a moment later, and at once when the page goes', async () => {
  const { tab, sessionStorage } = fakeBrowser()
  opened().keep(VIEW)
  expect(sessionStorage.items.size).toBe(0)
  await vi.advanceTimersByTimeAsync(SAVE_MS)
  expect(opened().recall()).toEqual(VIEW)
  sessionStorage.items.clear()
  opened().keep(VIEW)
  tab.happens('pagehide')
  expect(opened().recall()).toEqual(VIEW)
})

test('what is still to be written is written at the end', () => {
  fakeBrowser()
  const memory = opened()
  memory.keep(VIEW)
  memory.close()
  expect(opened().recall()).toEqual(VIEW)
})

test('where storage is full nothing is kept, not the words of before either', async () => {
  const { sessionStorage } = fakeBrowser()
  const memory = opened()
  memory.keep(VIEW)
  await vi.advanceTimersByTimeAsync(SAVE_MS)
  sessionStorage.full = true
  memory.keep(VIEW)
  await vi.advanceTimersByTimeAsync(SAVE_MS)
  expect(opened().recall()).toBe(EMPTY)
  sessionStorage.full = false
  memory.keep(VIEW)
  await vi.advanceTimersByTimeAsync(SAVE_MS)
  expect(opened().recall()).toEqual(VIEW)
})

test('where storage is forbidden all is as in a new tab', async () => {
  const { sessionStorage } = fakeBrowser()
  sessionStorage.forbidden = true
  const memory = opened()
  expect(memory.recall()).toBe(EMPTY)
  memory.keep(VIEW)
  await vi.advanceTimersByTimeAsync(SAVE_MS)
  forgetSession('session')
})

/** What was kept, changed at one place. */
function changed(path: string, value: unknown): string {
  const kept: unknown = { ...VIEW, answers: [...VIEW.answers.values()] }
  const copy = structuredClone(kept) as Record<string, unknown>
  const names = path.split('.')
  const within = names.slice(0, -1).reduce((each, name) => each[name] as Record<string, unknown>, copy)
  within[names.at(-1)!] = value
  return JSON.stringify(copy)
}

const WRONG: unknown[] = [undefined, null, true, 1.5, -Infinity, 'x', [], [null], {}, ['x'], { x: 1 }]
const FIELDS = ['cursor', 'current', 'answers', ...[0, 1].flatMap((at) => (
  [`answers.${at}`, ...Object.keys(VIEW.answers.get(1)!).map((name) => `answers.${at}.${name}`)]
))]

/** What a field may be, beside what it is. */
function fits(path: string, value: unknown): boolean {
  const name = path.split('.').at(-1)!
  if (['prompt', 'provider', 'model', 'startedAt', 'text', 'reasoning'].includes(name)) return typeof value === 'string'
  if (path === 'answers.0.end') return typeof value === 'object' && value !== null
  if (path === 'answers.1.end') return value === null
  return (path === 'answers' && JSON.stringify(value) === '[]') || (['replaces', 'thinkingMs'].includes(name) && value === null)
}

for (const path of FIELDS) {
  test(`a kept ${path} of a wrong kind is nothing kept`, () => {
    const { sessionStorage } = fakeBrowser()
    const memory = opened()
    for (const value of WRONG) {
      // JSON has no infinity: it says null.
      if (fits(path, value === -Infinity ? null : value)) continue
      sessionStorage.items.set(KEY, changed(path, value))
      expect([value, memory.recall()]).toEqual([value, EMPTY])
    }
  })
}

test.each(['', '{', 'null', '5', '"x"', '[]', '{}', '{"answers":{"map":1}}', changed('cursor', ''), changed('cursor', '0-0')])(
  'no view at all is nothing kept: %s',
  (kept) => {
    const { sessionStorage } = fakeBrowser()
    sessionStorage.items.set(KEY, kept)
    expect(opened().recall()).toBe(EMPTY)
  },
)

test('what was not changed is kept', () => {
  const { sessionStorage } = fakeBrowser()
  sessionStorage.items.set(KEY, changed('current', 2))
  expect(opened().recall()).toEqual(VIEW)
})

test('a session that is deleted while it is shown is not written again', async () => {
  const { tab, sessionStorage } = fakeBrowser()
  const memory = opened()
  memory.keep(VIEW)
  await vi.advanceTimersByTimeAsync(SAVE_MS)
  memory.keep(VIEW)
  forgetSession('session')
  await vi.advanceTimersByTimeAsync(SAVE_MS)
  memory.keep(VIEW)
  tab.happens('pagehide')
  memory.close()
  expect(sessionStorage.items.size).toBe(0)
})

test('deleted, and then shown again, it is kept as any other', async () => {
  fakeBrowser()
  const before = opened()
  before.keep(VIEW)
  forgetSession('session')
  before.close()
  const memory = opened()
  expect(memory.recall()).toBe(EMPTY)
  memory.keep(VIEW)
  await vi.advanceTimersByTimeAsync(SAVE_MS)
  expect(opened().recall()).toEqual(VIEW)
})
