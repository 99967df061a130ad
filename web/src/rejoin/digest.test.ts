/** The digest: an answer that it belies is fetched once more, and only once. */

import { createHash } from 'node:crypto'
import { expect, onTestFinished, test, vi } from 'vitest'
import { isWhole } from './digest'
import { FakeEventSource, FakeTab, fakeBrowser } from './fakes'
import { followSession, type Event } from './index'
import { EMPTY, fold } from './view'

const TEXT = 'Be🌊cause.'
const RIGHT = createHash('sha256').update(TEXT).digest('hex')
const WRONG = RIGHT.replace(/^./, (digit) => (digit === '0' ? '1' : '0'))

const story = (text: string, digest: unknown): Event[] => [
  { type: 'metadata', status: 'started', generation: 1, attempt: 1, prompt: 'Why?' },
  { type: 'chunk', generation: 1, content: text },
  { type: 'metadata', status: 'completed', generation: 1, digest },
]

function told(text: string, digest: unknown): void {
  story(text, digest).forEach((event, seq) => FakeEventSource.last.frame(`1-${seq}`, event))
}

const answer = (text: string, digest: unknown) => (
  story(text, digest).reduce((view, event, seq) => fold(view, `1-${seq}`, event), EMPTY).answers.get(1)!
)

/** A tab that follows the session. */
async function follow(tab: FakeTab) {
  tab.enter()
  const following = followSession('/api/consume-stream', 'session', { view: () => {}, connection: () => {} })
  onTestFinished(() => following.close())
  await vi.advanceTimersByTimeAsync(5)
  return { text: () => following.view.answers.get(1)?.text }
}

/** Wait until every digest that is being made has been looked at. */
function digests() {
  const made = vi.spyOn(crypto.subtle, 'digest')
  return async () => {
    await vi.advanceTimersByTimeAsync(5)
    await Promise.all(made.mock.results.map(({ value }) => value))
    await vi.advanceTimersByTimeAsync(5)
    return made.mock.calls.length
  }
}

test.each([
  ['its text is what was written', answer(TEXT, RIGHT), true],
  ['a word is missing', answer(TEXT.slice(1), RIGHT), false],
  ['it was written without a digest', answer(TEXT, undefined), true],
  ['its digest is none', answer(TEXT, 5), true],
  ['it is still being written', { ...answer(TEXT, RIGHT), end: null }, true],
])('an answer is whole or not, where %s', async (_, told, whole) => {
  expect(await isWhole(told)).toBe(whole)
})

test('on plain HTTP, where a browser has no digests, every answer counts as whole', async () => {
  onTestFinished(() => void vi.unstubAllGlobals())
  vi.stubGlobal('crypto', {})
  expect(await isWhole(answer(TEXT, WRONG))).toBe(true)
})

test('an answer that came whole is not fetched again', async () => {
  const { tab } = fakeBrowser()
  const proved = digests()
  const one = await follow(tab)
  told(TEXT, RIGHT)
  expect(await proved()).toBe(1)
  expect([one.text(), FakeEventSource.all.length]).toEqual([TEXT, 1])
})

test('one that lost a word is fetched from the beginning', async () => {
  const { tab } = fakeBrowser()
  const proved = digests()
  const one = await follow(tab)
  told('Because.', RIGHT)
  await proved()
  expect([one.text(), FakeEventSource.all.length, FakeEventSource.last.resumesAt]).toEqual([undefined, 2, null])
  told(TEXT, RIGHT)
  await proved()
  expect([one.text(), FakeEventSource.all.length]).toEqual([TEXT, 2])
})

test('a digest that was written wrong costs one fetch, and then the words are believed', async () => {
  const { tab } = fakeBrowser()
  const proved = digests()
  const one = await follow(tab)
  for (let times = 0; times < 3; times++) {
    told(TEXT, WRONG)
    await proved()
  }
  expect([one.text(), FakeEventSource.all.length]).toEqual([TEXT, 2])
})

test('a kept answer that was altered is fetched again as soon as the tab leads', async () => {
  const { tab, sessionStorage } = fakeBrowser()
  const proved = digests()
  const kept = { cursor: '1-2', current: 1, answers: [answer('Tampered.', RIGHT)] }
  sessionStorage.items.set('rejoin.view.session', JSON.stringify(kept))
  const one = await follow(tab)
  await proved()
  expect(FakeEventSource.last.resumesAt).toBe(null)
  told(TEXT, RIGHT)
  await proved()
  expect(one.text()).toBe(TEXT)
})

test('a tab that does not lead asks the one that does, and is not left without words', async () => {
  const { tab } = fakeBrowser()
  const proved = digests()
  const leader = await follow(tab)
  told(TEXT, WRONG)
  await proved()
  // The leader has its doubts behind it; the other one comes in time to doubt, too.
  const [first, ...rest] = story(TEXT, WRONG)
  FakeEventSource.last.frame('1-0', first)
  const other = await follow(new FakeTab())
  rest.forEach((event, at) => FakeEventSource.last.frame(`1-${at + 1}`, event))
  await proved()
  await proved()
  expect([leader.text(), other.text(), FakeEventSource.all.length]).toEqual([TEXT, TEXT, 2])
})
