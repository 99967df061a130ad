/** What is said of the connection: each state when it begins, and none that is not so. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ConnectionState, type Connection } from './connection'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function told(): [ConnectionState, Connection[]] {
  const states: Connection[] = []
  return [new ConnectionState((state) => states.push(state)), states]
}

test('it is live when nothing has come for a moment', async () => {
  const [state, states] = told()
  state.connected(true)
  for (let frames = 0; frames < 3; frames++) {
    await vi.advanceTimersByTimeAsync(200)
    state.heard()
  }
  expect(states).toEqual(['catching up'])
  await vi.advanceTimersByTimeAsync(250)
  expect(states).toEqual(['catching up', 'live'])
  state.connected(true)
  expect(states).toEqual(['catching up', 'live'])
})

test('it is live after a second, though an answer streams on without a pause', async () => {
  const [state, states] = told()
  state.connected(true)
  for (let ms = 0; ms < 1_050; ms += 50) {
    await vi.advanceTimersByTimeAsync(50)
    state.heard()
  }
  expect(states).toEqual(['catching up', 'live'])
})

test('until it has stood once it is connecting, later it is reconnecting', async () => {
  const [state, states] = told()
  state.connected(false)
  expect(states).toEqual([])
  state.connected(true)
  state.connected(false)
  await vi.advanceTimersByTimeAsync(5_000)
  expect(states).toEqual(['catching up', 'reconnecting'])
})

test('paused, it stays so until a connection stands again', async () => {
  const [state, states] = told()
  state.connected(true)
  state.paused()
  await vi.advanceTimersByTimeAsync(5_000)
  expect(states).toEqual(['catching up', 'paused'])
  state.connected(true)
  await vi.advanceTimersByTimeAsync(250)
  expect(states.slice(2)).toEqual(['catching up', 'live'])
})

test('nothing is said after its end', async () => {
  const [state, states] = told()
  state.connected(true)
  state.close()
  await vi.advanceTimersByTimeAsync(5_000)
  expect(states).toEqual(['catching up'])
})
