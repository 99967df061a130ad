import { expect, test, vi } from 'vitest'

import { inTurn } from './turn'

test('work that fails is told of, and holds up nobody', async () => {
  const report = vi.fn()
  vi.stubGlobal('reportError', report)
  const done = vi.fn()
  inTurn(done)
  inTurn(() => {
    throw new Error('failed')
  })
  await vi.waitFor(() => expect(done).toHaveBeenCalled())
  expect(report).toHaveBeenCalledOnce()
  vi.unstubAllGlobals()
})
