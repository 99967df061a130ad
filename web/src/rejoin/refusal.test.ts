/** What the server does not show: it is told once, nothing is tried in vain, and what is renewed goes on in place. */

import { expect, onTestFinished, test, vi } from 'vitest'
import { FakeEventSource, FakeTab, fakeBrowser } from './fakes'
import { followSession, type Connection, type Options, type View } from './index'

const started = { type: 'metadata', status: 'started', generation: 1, attempt: 1, prompt: 'Why?' }
const chunk = (content: string) => ({ type: 'chunk', generation: 1, content })
const over = (code: string) => ({ type: 'unauthorized', code })
const made = () => FakeEventSource.all.length
const text = (view: View) => [...view.answers.values()].map((answer) => answer.text).join()

/** Longer than the longest pause between two tries. */
const LONG_MS = 20_000

/** A tab that follows; `renew` is what its page does about a refusal. */
async function follow(tab: FakeTab, renew?: (code: string) => boolean | Promise<boolean>, options?: Options) {
  tab.enter()
  const states: Connection[] = []
  const codes: string[] = []
  const following = followSession('/api/consume-stream', 'session', {
    view() {},
    connection: (state) => states.push(state),
    ...(renew && {
      unauthorized(code) {
        codes.push(code)
        return renew(code)
      },
    }),
  }, options)
  onTestFinished(() => following.close())
  await vi.advanceTimersByTimeAsync(5)
  return { following, states, codes, text: () => text(following.view) }
}

test.each([
  ['frame', () => FakeEventSource.last.frame('1-1', over('token_expired'))],
  ['401 on connecting', () => FakeEventSource.last.refuse(401, 'token_expired')],
])('without a page that renews, a %s is the end, and is told', async (_, refuse) => {
  const { tab } = fakeBrowser()
  const one = await follow(tab)
  FakeEventSource.last.open()
  FakeEventSource.last.frame('1-0', started)
  refuse()
  await vi.advanceTimersByTimeAsync(LONG_MS)
  tab.happens('offline')
  tab.happens('online')
  tab.becomes('visible')
  expect([one.states.at(-1), made(), FakeEventSource.last.closed]).toEqual(['unauthorized', 1, true])
})

test.each([
  ['frame', () => FakeEventSource.last.frame('1-1', over('token_expired'))],
  ['401 on connecting', () => FakeEventSource.last.refuse(401, 'token_expired')],
])('after a %s and a renewal it goes on from where it stood, and no word is doubled', async (_, refuse) => {
  const one = await follow(fakeBrowser().tab, () => true)
  FakeEventSource.last.open()
  FakeEventSource.last.frame('1-0', started)
  FakeEventSource.last.frame('1-1', chunk('one '))
  refuse()
  await vi.advanceTimersByTimeAsync(1)
  expect([one.codes, made(), FakeEventSource.last.resumesAt]).toEqual([['token_expired'], 2, '1-1'])
  FakeEventSource.last.open()
  FakeEventSource.last.frame('1-1', chunk('one '))
  FakeEventSource.last.frame('1-2', chunk('two'))
  expect(one.text()).toBe('one two')
  await vi.advanceTimersByTimeAsync(1_000)
  expect(one.states.at(-1)).toBe('live')
})

test('the page may take its time; what it says after the end is not heard', async () => {
  const answers: ((yes: boolean) => void)[] = []
  const one = await follow(fakeBrowser().tab, () => new Promise((resolve) => answers.push(resolve)))
  FakeEventSource.last.refuse(401, 'token_missing')
  await vi.advanceTimersByTimeAsync(LONG_MS)
  expect([one.states, one.codes, made()]).toEqual([['unauthorized'], ['token_missing'], 1])
  one.following.close()
  answers.forEach((answer) => answer(true))
  await vi.advanceTimersByTimeAsync(LONG_MS)
  expect(made()).toBe(1)
})

test('a page that renews what is refused all the same is asked at a slower and slower pace', async () => {
  const one = await follow(fakeBrowser().tab, () => true)
  vi.spyOn(Math, 'random').mockReturnValue(1)
  const until = performance.now() + 60_000
  while (performance.now() < until) {
    FakeEventSource.last.open()
    FakeEventSource.last.frame('', over('token_expired'))
    await vi.advanceTimersByTimeAsync(100)
  }
  expect(one.codes.length).toBeLessThan(12)
  expect(one.codes.length).toBeGreaterThan(5)
})

test('503 and 404 are no refusal: a server comes back, a session may begin', async () => {
  const one = await follow(fakeBrowser().tab, () => true)
  for (const status of [503, 404, 403]) {
    FakeEventSource.last.refuse(status, 'whatever')
    await vi.advanceTimersByTimeAsync(LONG_MS)
  }
  expect([made(), one.codes, one.states]).toEqual([4, [], []])
})

test('204 is the end of a session of which there is no more to see', async () => {
  const one = await follow(fakeBrowser().tab)
  FakeEventSource.last.open()
  FakeEventSource.last.fail()
  await vi.advanceTimersByTimeAsync(LONG_MS)
  FakeEventSource.last.refuse(204)
  await vi.advanceTimersByTimeAsync(LONG_MS)
  expect([made(), one.states.at(-1)]).toEqual([2, 'ended'])
})

test('why a connection does not open is asked once each time, and not kept waiting for', async () => {
  const { tab, fetch } = fakeBrowser()
  await follow(tab)
  FakeEventSource.last.refuse(200)
  const { signal } = fetch.mock.calls[0]![1]
  await vi.advanceTimersByTimeAsync(0)
  expect([fetch.mock.calls.length, signal!.aborted]).toEqual([1, true])
  // A cut tells of no status; the server is not asked for one.
  await vi.advanceTimersByTimeAsync(LONG_MS)
  FakeEventSource.last.fail()
  await vi.advanceTimersByTimeAsync(LONG_MS)
  expect(fetch.mock.calls.length).toBe(1)
})

test.each([
  [404, 'session_not_found'],
  [401, 'share_expired'],
])('a link that is answered with %i is over', async (status, code) => {
  const { tab, sessionStorage } = fakeBrowser()
  const one = await follow(tab, () => false, { share: 'a.b.c' })
  expect(FakeEventSource.last.url.searchParams.get('share')).toBe('a.b.c')
  FakeEventSource.last.frame('1-0', started)
  FakeEventSource.last.refuse(status, code)
  await vi.advanceTimersByTimeAsync(LONG_MS)
  one.following.close()
  expect([one.codes, made(), one.states.at(-1)]).toEqual([[code], 1, 'unauthorized'])
  // What can be taken back is not kept.
  expect(sessionStorage.items.size).toBe(0)
})

test('cookies go to another site only if it is wanted', async () => {
  const { tab, fetch } = fakeBrowser()
  for (const withCredentials of [false, true]) {
    const one = await follow(tab, undefined, { withCredentials })
    expect(FakeEventSource.last.withCredentials).toBe(withCredentials)
    FakeEventSource.last.refuse(503)
    expect(fetch.mock.lastCall?.[1].credentials).toBe(withCredentials ? 'include' : 'same-origin')
    one.following.close()
    await vi.advanceTimersByTimeAsync(5)
  }
})

test('all tabs are told of a refusal, one is asked to renew, and that serves all', async () => {
  const { tab } = fakeBrowser()
  let renew = (_: boolean) => {}
  const leader = await follow(tab, () => new Promise((resolve) => renew = resolve))
  const other = await follow(new FakeTab(), () => false)
  FakeEventSource.last.open()
  FakeEventSource.last.frame('1-0', started)
  FakeEventSource.last.frame('1-1', chunk('one '))
  FakeEventSource.last.frame('1-1', over('token_expired'))
  await vi.advanceTimersByTimeAsync(5)
  const late = await follow(new FakeTab(), () => false)
  const all = [leader, other, late]
  expect(all.map(({ states }) => states.at(-1))).toEqual(all.map(() => 'unauthorized'))
  expect(all.map(({ codes }) => codes.length)).toEqual([1, 0, 0])
  renew(true)
  await vi.advanceTimersByTimeAsync(5)
  FakeEventSource.last.open()
  FakeEventSource.last.frame('1-2', chunk('two'))
  await vi.advanceTimersByTimeAsync(1_000)
  expect(all.map((each) => [each.text(), each.states.at(-1)])).toEqual(all.map(() => ['one two', 'live']))
  expect(made()).toBe(2)
})
