/** A refusal is renewed without a question where that can be, is asked for where it can't, and never in a circle. */

import { expect, test, vi } from 'vitest'

import { fakeBrowser } from './rejoin/fakes'

type Told = { auth: string, signedIn: boolean, owner: string | null, expiresAt: number | null, sharing: boolean }

const signedIn = (expiresAt: number): Told => ({ auth: 'jwt', signedIn: true, owner: 'ada', expiresAt, sharing: true })
const SIGNED_OUT: Told = { auth: 'jwt', signedIn: false, owner: null, expiresAt: null, sharing: true }
const NONE: Told = { ...SIGNED_OUT, auth: 'none', sharing: false }

/** A page in one tab, and what the server tells it of its cookie; null while it is out of reach. */
async function page(told: Told | null) {
  const { tab } = fakeBrowser()
  const server = { told, asked: [] as string[] }
  vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
    server.asked.push(`${init.method ?? 'GET'} ${path}`)
    if (init.method === 'POST') return new Response(null, { status: 204 })
    if (!server.told) throw new TypeError('out of reach')
    return Response.json(server.told)
  })
  vi.resetModules()
  return { tab, server, ...await import('./login') }
}

/** What a promise has come to by now. */
async function outcome(promise: Promise<boolean>): Promise<boolean | 'waits'> {
  await vi.advanceTimersByTimeAsync(10)
  return Promise.race([promise, Promise.resolve('waits' as const)])
}

test('what was renewed elsewhere is found, and nobody is asked', async () => {
  const { server, look, renew, currentLogin } = await page(signedIn(1000))
  await look()
  server.told = signedIn(2000)
  expect(await outcome(renew(1000))).toBe(true)
  expect(currentLogin()).toMatchObject({ signedIn: true, expiresAt: 2000 })
})

test('who was refused while another has renewed already asks nobody at all', async () => {
  const { server, look, renew } = await page(signedIn(2000))
  await look()
  expect(await outcome(renew(1000))).toBe(true)
  expect(server.asked.length).toBe(1)
})

test.each([
  ['is gone', SIGNED_OUT],
  ['is told to be good, though it was refused', signedIn(1000)],
])('where the token %s the reader is asked, and all that was refused waits for them', async (_, told) => {
  const { tab, server, look, renew, signIn, currentLogin } = await page(signedIn(1000))
  await look()
  server.told = told
  const refused = [renew(1000), renew(1000)]
  expect(await outcome(refused[0]!)).toBe('waits')
  tab.happens('focus')
  await vi.advanceTimersByTimeAsync(10)
  // What was read stays.
  expect(currentLogin()).toMatchObject({ signedIn: false, out: false })
  server.told = signedIn(2000)
  await signIn(' Bearer a.b.c\n')
  for (const each of refused) expect(await outcome(each)).toBe(true)
})

test('who comes without a token sees nothing until there is one, also by another tab', async () => {
  const { tab, server, look, currentLogin } = await page(SIGNED_OUT)
  await look()
  expect(currentLogin().out).toBe(true)
  server.told = signedIn(1000)
  tab.happens('storage', { key: 'rejoin.login', newValue: '1' })
  await vi.advanceTimersByTimeAsync(10)
  expect(currentLogin()).toMatchObject({ signedIn: true, out: false })
})

test('where no token is asked for, none would help', async () => {
  const { renew } = await page(NONE)
  expect(await outcome(renew(null))).toBe(false)
})

test('a server that is out of reach just then is asked again', async () => {
  const { server, look, renew } = await page(signedIn(1000))
  await look()
  server.told = null
  const refused = renew(1000)
  expect(await outcome(refused)).toBe('waits')
  server.told = signedIn(2000)
  await vi.advanceTimersByTimeAsync(5_000)
  expect(await outcome(refused)).toBe(true)
})

test('what can be no token is not sent, and a cookie that was not kept is told of', async () => {
  const { server, signIn } = await page(SIGNED_OUT)
  await expect(signIn('no token')).rejects.toMatchObject({ code: 'token_invalid' })
  expect(server.asked).toEqual([])
  await expect(signIn('a.b.c')).rejects.toMatchObject({ code: 'cookie_refused' })
})
