/** The tabs of one session: one connection, the same words in all of them, whoever comes and goes. */

import { expect, onTestFinished, test, vi } from 'vitest'
import { FakeChannel, FakeEventSource, FakeTab, fakeBrowser } from './fakes'
import { followSession, type Connection, type View } from './index'

const SETTLED_MS = 5
const HIDDEN_MS = 3_000

const started = { type: 'metadata', status: 'started', generation: 1, attempt: 1, prompt: 'Why?' }
const chunk = (content: string) => ({ type: 'chunk', generation: 1, content })
const settled = () => vi.advanceTimersByTimeAsync(SETTLED_MS)

/** A tab that follows the session, and what it has been told. */
async function follow(tab: FakeTab, url = '/api/consume-stream') {
  tab.enter()
  const states: Connection[] = []
  const texts: string[] = []
  const following = followSession(url, 'session', {
    view: (view) => texts.push(text(view)),
    connection: (state) => states.push(state),
  })
  onTestFinished(() => following.close())
  await settled()
  return { tab, following, states, texts, text: () => text(following.view) }
}

const text = (view: View) => [...view.answers.values()].map((answer) => answer.text).join()
const hellos = () => FakeChannel.said.filter(({ say }) => say === 'hello').length

/** Two tabs that have heard the beginning of an answer: the first leads. */
async function two() {
  const browser = fakeBrowser()
  const leader = await follow(browser.tab)
  const other = await follow(new FakeTab())
  FakeEventSource.last.open()
  FakeEventSource.last.frame('1-0', started)
  FakeEventSource.last.frame('1-1', chunk('one '))
  await settled()
  return { ...browser, leader, other }
}

test('all tabs hear over one connection', async () => {
  const { leader, other } = await two()
  expect([leader.text(), other.text()]).toEqual(['one ', 'one '])
  await vi.advanceTimersByTimeAsync(1_000)
  expect([leader.states, other.states]).toEqual([['catching up', 'live'], ['catching up', 'live']])
  expect(FakeEventSource.all.length).toBe(1)
})

test('a tab that comes later holds at once what the leader holds', async () => {
  const { other } = await two()
  const before = other.texts.length
  const late = await follow(new FakeTab())
  expect(late.text()).toBe('one ')
  // Those who know it already are not told again.
  expect(other.texts.length).toBe(before)
  expect(late.states).toEqual(['catching up'])
})

test('tabs of readers who have nothing in common hear nothing of each other', async () => {
  const { tab } = fakeBrowser()
  const ada = await follow(tab, '/api/consume-stream#ada')
  const bob = await follow(new FakeTab(), '/api/consume-stream#bob')
  expect(FakeEventSource.all.map(({ url }) => url.searchParams.get('sessionId'))).toEqual(['session', 'session'])
  FakeEventSource.all[0]!.open()
  FakeEventSource.all[0]!.frame('1-0', started)
  FakeEventSource.all[0]!.frame('1-1', chunk('one '))
  await settled()
  const also = await follow(new FakeTab(), '/api/consume-stream#ada')
  expect([ada.text(), bob.text(), also.text()]).toEqual(['one ', '', 'one '])
  expect(FakeEventSource.all.length).toBe(2)
})

test.each(['closes', 'crashes', 'is left', 'is hidden for long'])('when the leader %s, the next one leads', async (how) => {
  const { leader, other, locks } = await two()
  const first = FakeEventSource.last
  if (how === 'closes') leader.following.close()
  if (how === 'crashes') locks.crash(leader.tab)
  if (how === 'is left') leader.tab.happens('pagehide')
  if (how === 'is hidden for long') leader.tab.becomes('hidden')
  other.tab.enter()
  if (how === 'is hidden for long') await vi.advanceTimersByTimeAsync(HIDDEN_MS)
  await settled()
  expect(FakeEventSource.all.length).toBe(2)
  expect(first.closed).toBe(how !== 'crashes')
  expect(FakeEventSource.last.resumesAt).toBe('1-1')
  FakeEventSource.last.open()
  FakeEventSource.last.frame('1-2', chunk('two'))
  expect(other.text()).toBe('one two')
})

test('a tab that is hidden for a moment holds on', async () => {
  const { leader } = await two()
  leader.tab.becomes('hidden')
  await vi.advanceTimersByTimeAsync(HIDDEN_MS - 1)
  leader.tab.becomes('visible')
  await vi.advanceTimersByTimeAsync(HIDDEN_MS)
  expect(FakeEventSource.all.length).toBe(1)
  expect(leader.states).toEqual(['catching up', 'live'])
})

test('a tab that was hidden for long says so, hears nothing, and catches up when it is shown', async () => {
  const { leader, other } = await two()
  other.tab.becomes('hidden')
  await vi.advanceTimersByTimeAsync(HIDDEN_MS)
  expect(other.states.at(-1)).toBe('paused')
  leader.tab.enter()
  FakeEventSource.last.frame('1-2', chunk('two '))
  await settled()
  expect(other.text()).toBe('one ')
  other.tab.becomes('visible')
  await settled()
  FakeEventSource.last.frame('1-3', chunk('three'))
  await vi.advanceTimersByTimeAsync(250)
  expect(other.text()).toBe('one two three')
  expect(other.states.slice(-3)).toEqual(['paused', 'catching up', 'live'])
  expect(FakeEventSource.all.length).toBe(1)
})

test('a page that comes back by the Back button goes on', async () => {
  const { leader, other } = await two()
  other.following.close()
  leader.tab.happens('pagehide')
  expect([FakeEventSource.last.closed, leader.states.at(-1)]).toEqual([true, 'paused'])
  // In this order, as Chromium tells it.
  leader.tab.becomes('hidden')
  leader.tab.becomes('visible')
  leader.tab.happens('pageshow', { persisted: true })
  await settled()
  expect([FakeEventSource.all.length, FakeChannel.all.size]).toEqual([2, 1])
  expect(FakeEventSource.last.resumesAt).toBe('1-1')
})

test('a tab that is opened in the background begins when it is shown', async () => {
  const { tab } = fakeBrowser()
  tab.becomes('hidden')
  const opened = await follow(tab)
  await vi.advanceTimersByTimeAsync(HIDDEN_MS)
  expect([opened.states, FakeEventSource.all.length]).toEqual([['paused'], 0])
  tab.becomes('visible')
  await settled()
  expect(FakeEventSource.all.length).toBe(1)
})

test('a tab that missed a frame asks once, and takes over what the leader holds', async () => {
  const { leader, other } = await two()
  const before = hellos()
  const deaf = [...FakeChannel.all].find(({ tab }) => tab as unknown === other.tab.document)!
  FakeChannel.all.delete(deaf)
  FakeEventSource.last.frame('1-2', chunk('two '))
  FakeChannel.all.add(deaf)
  for (let seq = 3; seq < 20; seq++) FakeEventSource.last.frame(`1-${seq}`, chunk(`${seq} `))
  await settled()
  expect(hellos()).toBe(before + 1)
  expect(other.text()).toBe(leader.text())
  FakeEventSource.last.frame('1-20', chunk('end'))
  await settled()
  expect(other.text()).toBe(leader.text())
})

test('a tab whose question the leader did not live to answer is told by the next one', async () => {
  const { leader, other, locks } = await two()
  const asking = follow(new FakeTab())
  locks.crash(leader.tab)
  const late = await asking
  other.tab.enter()
  FakeEventSource.last.frame('1-2', chunk('two'))
  await settled()
  expect(late.text()).toBe('one two')
})

test('what was passed already is news to nobody', async () => {
  await two()
  const before = FakeChannel.said.length
  FakeEventSource.last.frame('1-1', chunk('one '))
  expect(FakeChannel.said.length).toBe(before)
})

test('what a leader has still said before it went is ignored by the next one, which fetches it', async () => {
  const { leader, other } = await two()
  const words = { log: 1, say: 'frame', after: '1-1', id: '1-2', event: chunk('two') }
  leader.following.close()
  await settled()
  const late = new FakeChannel([...FakeChannel.all][0]!.name)
  for (const message of [words, { say: 'connected', yes: true }, { say: 'view', to: 0, view: null }]) late.postMessage(message)
  await settled()
  expect(other.text()).toBe('one ')
  expect(FakeEventSource.last.resumesAt).toBe('1-1')
})

test('and by a tab that knows of the next one', async () => {
  const { leader, other } = await two()
  const third = await follow(new FakeTab())
  const channel = [...FakeChannel.all][0]!
  leader.following.close()
  await settled()
  const late = new FakeChannel(channel.name)
  late.postMessage({ log: 1, say: 'frame', after: '1-1', id: '1-2', event: chunk('twice') } as { say: string })
  await settled()
  other.tab.enter()
  FakeEventSource.last.frame('1-2', chunk('two'))
  await settled()
  expect([other.text(), third.text()]).toEqual(['one two', 'one two'])
  expect(third.texts).not.toContain('one twice')
})

test('a reset voids the words of all tabs', async () => {
  const { leader, other } = await two()
  FakeEventSource.last.frame('1-1', { type: 'reset', reason: 'unknown_position' })
  FakeEventSource.last.frame('1-0', started)
  FakeEventSource.last.frame('1-1', chunk('uno'))
  await settled()
  expect([leader.text(), other.text()]).toEqual(['uno', 'uno'])
})

test('a reset that a tab has missed voids its words, too, though what follows has the same ids', async () => {
  const { other } = await two()
  const deaf = [...FakeChannel.all].find(({ tab }) => tab as unknown === other.tab.document)!
  FakeChannel.all.delete(deaf)
  FakeEventSource.last.frame('1-1', { type: 'reset', reason: 'unknown_position' })
  FakeEventSource.last.frame('1-0', started)
  FakeEventSource.last.frame('1-1', chunk('uno '))
  FakeChannel.all.add(deaf)
  FakeEventSource.last.frame('1-2', chunk('dos'))
  await settled()
  expect(other.text()).toBe('uno dos')
})

test.each([
  ['has no locks', undefined],
  ['forbids them', { request: () => Promise.reject(new DOMException('', 'SecurityError')) }],
])('where a browser %s, each tab has a connection of its own', async (_, locks) => {
  const { tab } = fakeBrowser()
  vi.stubGlobal('navigator', { locks })
  const one = await follow(tab)
  const other = await follow(new FakeTab())
  expect(FakeEventSource.all.length).toBe(2)
  FakeEventSource.all[0]!.open()
  FakeEventSource.all[0]!.frame('1-0', started)
  await settled()
  expect([one.states, other.states]).toEqual([['catching up'], []])
  other.tab.becomes('hidden')
  await vi.advanceTimersByTimeAsync(HIDDEN_MS)
  expect(FakeEventSource.all.map(({ closed }) => closed)).toEqual([false, true])
})

test('an ended following is told nothing more', async () => {
  const { leader, other } = await two()
  other.following.close()
  const before = [...other.texts, ...other.states]
  leader.tab.enter()
  FakeEventSource.last.frame('1-2', chunk('two'))
  leader.following.close()
  await vi.advanceTimersByTimeAsync(60_000)
  expect([...other.texts, ...other.states]).toEqual(before)
  expect(FakeEventSource.all.length).toBe(1)
})
