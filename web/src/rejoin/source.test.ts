/** The source: made again whenever it is lost, neither too soon nor too late, from where it stood. */

import { expect, onTestFinished, test, vi } from 'vitest'
import type { Line } from './connection'
import { FakeEventSource, fakeBrowser } from './fakes'
import { Source } from './source'

const chunk = { type: 'chunk', generation: 1, content: 'a' }

function followed(query = '') {
  const { tab } = fakeBrowser()
  const held = { cursor: '', frames: [] as string[], told: [] as Line[], refusals: [] as string[] }
  const source = new Source(`http://127.0.0.1/api/consume-stream?sessionId=s${query}`, false, {
    cursor: () => held.cursor,
    frame: (id) => {
      held.frames.push(id)
      held.cursor = id
    },
    connected: (line) => held.told.push(line),
    refused: (code) => held.refusals.push(code),
  })
  onTestFinished(() => source.close())
  return { tab, source, held }
}

/** How long until there is another connection, in ms. */
async function nextOne(): Promise<number> {
  const before = FakeEventSource.all.length
  const began = performance.now()
  while (FakeEventSource.all.length === before) await vi.advanceTimersByTimeAsync(10)
  return performance.now() - began
}

const made = () => FakeEventSource.all.length

test('a connection resumes at the cursor as it is when it is made', async () => {
  followed()
  expect(FakeEventSource.last.resumesAt).toBe(null)
  FakeEventSource.last.frame('1-0', chunk)
  FakeEventSource.last.frame('1-1', chunk)
  FakeEventSource.last.fail()
  await nextOne()
  expect(FakeEventSource.last.resumesAt).toBe('1-1')
  expect(FakeEventSource.all.map(({ closed }) => closed)).toEqual([true, false])
})

test('what answers with an error, or with nothing, is asked again and again, each time later, up to a bound', async () => {
  followed()
  for (const [random, longest] of [[1, [1, 2, 4, 8, 15, 15, 15]], [0, [0.25, 0.25, 0.25]]] as const) {
    vi.spyOn(Math, 'random').mockReturnValue(random)
    FakeEventSource.last.frame(`1-${made()}`, chunk)
    for (const seconds of longest) {
      FakeEventSource.last.fail()
      expect(Math.round(await nextOne() / 10)).toBe(seconds * 100)
    }
  }
})

test('a thousand pages that lose a server come back spread over the whole wait', async () => {
  followed()
  const waits: number[] = []
  for (let page = 0; page < 1000; page++) {
    FakeEventSource.last.frame(`1-${page}`, chunk)
    FakeEventSource.last.fail()
    waits.push(await nextOne())
  }
  const inTenths = Array.from({ length: 10 }, (_, tenth) => (
    waits.filter((wait) => wait > 250 + tenth * 75 && wait <= 325 + tenth * 75).length
  ))
  expect(Math.min(...inTenths)).toBeGreaterThan(40)
})

test.each([
  ['a frame: all is forgiven', () => FakeEventSource.last.frame('1-0', chunk), 1],
  ['a second ping: all is forgiven', () => [1, 2].forEach(() => FakeEventSource.last.ping(15)), 1],
  ['the ping that a server begins with, before it falls over again: nothing is', () => FakeEventSource.last.ping(15), 8],
  ['a connection that merely opens: nothing is', () => FakeEventSource.last.open(), 8],
])('after failures, and then %s', async (_, progress, seconds) => {
  followed()
  vi.spyOn(Math, 'random').mockReturnValue(1)
  for (let failures = 0; failures < 3; failures++) {
    FakeEventSource.last.fail()
    await nextOne()
  }
  progress()
  FakeEventSource.last.fail()
  expect(Math.round(await nextOne() / 1000)).toBe(seconds)
})

test.each([
  ['as long as no server has said', undefined, 31],
  ['of a server that pings each second', 1, 3],
  ['of one whose ping is no number', 'soon', 31],
])('two pings missed, %s, are the end of a connection', async (_, everyS, seconds) => {
  const { held } = followed()
  FakeEventSource.last.open()
  if (everyS) FakeEventSource.last.ping(everyS)
  expect(Math.round(await nextOne() / 1000)).toBe(seconds)
  expect(held.told).toEqual([true, false])
})

test('every ping and every frame begins the wait anew', async () => {
  followed()
  for (let second = 0; second < 20; second += 2) {
    FakeEventSource.last.ping(1)
    await vi.advanceTimersByTimeAsync(1_000)
    FakeEventSource.last.frame(`1-${second}`, chunk)
    await vi.advanceTimersByTimeAsync(2_500)
  }
  expect(made()).toBe(1)
})

test('a server that pings once a year is believed, and not taken for dead at once', async () => {
  followed()
  FakeEventSource.last.ping(31_536_000)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(made()).toBe(1)
})

test('the network gone is told at once, and the network back is tried at once', () => {
  const { tab, held } = followed()
  FakeEventSource.last.open()
  tab.happens('offline')
  expect([held.told, made()]).toEqual([[true, false], 1])
  tab.happens('online')
  expect([FakeEventSource.all[0]?.closed, made()]).toEqual([true, 2])
})

test('a connection that goes on without the network that the browser knows of is kept, and told as standing', () => {
  const { tab, held } = followed()
  FakeEventSource.last.open()
  tab.happens('offline')
  FakeEventSource.last.frame('1-0', chunk)
  tab.happens('online')
  expect([held.told, made()]).toEqual([[true, false, true], 1])
})

test('a tab that is shown while a connection is waited for does not wait longer; one that stands is kept', async () => {
  const { tab } = followed()
  FakeEventSource.last.open()
  tab.becomes('hidden')
  tab.becomes('visible')
  expect(made()).toBe(1)
  FakeEventSource.last.fail()
  tab.becomes('hidden')
  expect(made()).toBe(1)
  tab.becomes('visible')
  expect(made()).toBe(2)
  FakeEventSource.last.open()
  await vi.advanceTimersByTimeAsync(20_000)
  expect(made()).toBe(2)
})

test('a page that slept longer than the pings allow connects anew as soon as it is shown, before any timer runs', () => {
  const { tab } = followed()
  FakeEventSource.last.open()
  tab.becomes('hidden')
  vi.setSystemTime(Date.now() + 17_000)
  tab.becomes('visible')
  expect([FakeEventSource.all[0]?.closed, made()]).toEqual([true, 2])
})

test('after its end nothing is told, and nothing is asked for', async () => {
  const { tab, source, held } = followed()
  const stream = FakeEventSource.last
  stream.open()
  source.close()
  stream.frame('1-0', chunk)
  stream.fail()
  tab.happens('offline')
  tab.happens('online')
  tab.becomes('visible')
  await vi.advanceTimersByTimeAsync(120_000)
  expect([held.told, held.frames, made()]).toEqual([[true], [], 1])
})

test('nor after an end while it waits to come back', async () => {
  const { source } = followed()
  FakeEventSource.last.fail()
  source.close()
  await vi.advanceTimersByTimeAsync(120_000)
  expect(made()).toBe(1)
})

test.each([
  ['no JSON', '1-1', '{"type":"chu'],
  ['no event', '1-1', 'null'],
  ['the id of no entry', 'x', JSON.stringify(chunk)],
])('a frame that was garbled to %s is fetched again', async (_, id, data) => {
  const { held } = followed()
  FakeEventSource.last.frame('1-0', chunk)
  FakeEventSource.last.raw(id, data)
  await nextOne()
  expect(FakeEventSource.last.resumesAt).toBe('1-0')
  FakeEventSource.last.frame('1-1', chunk)
  expect(held.frames).toEqual(['1-0', '1-1'])
})

test('one that comes garbled every time is passed over, and what follows is heard', async () => {
  const { held } = followed()
  for (const broken of ['1-1', '1-3']) {
    FakeEventSource.last.raw(broken, '<html>')
    await nextOne()
    FakeEventSource.last.raw(broken, '<html>')
    FakeEventSource.last.frame(broken.replace(/\d$/, (digit) => String(Number(digit) + 1)), chunk)
  }
  expect(held.frames).toEqual(['1-2', '1-4'])
  expect(made()).toBe(3)
})
