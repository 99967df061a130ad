/** What a browser keeps of one person is not for the next: not for their eyes, and not under their name. */

import { expect, test, vi } from 'vitest'

import { fakeBrowser, FakeStorage } from './rejoin/fakes'

const HELD = { 'rejoin.owner': 'ada', 'rejoin.view.session': 'her words', 'rejoin.draft.session': 'her draft' }

const told = (owner: string | null, expiresAt = 1000) =>
  ({ auth: 'jwt', signedIn: owner !== null, owner, expiresAt: owner && expiresAt, sharing: true })
const NONE = { ...told(null), auth: 'none' }

/** A page in a tab that holds something, in a browser that knows somebody. */
async function page(by: object, held: Record<string, string> = {}, known?: string) {
  const { tab, sessionStorage } = fakeBrowser()
  const localStorage = new FakeStorage()
  if (known !== undefined) localStorage.items.set('rejoin.owner', known)
  for (const [key, value] of Object.entries(held)) sessionStorage.items.set(key, value)
  const server = { told: by }
  vi.stubGlobal('fetch', async (_: string, init: RequestInit) =>
    init.method === 'POST' ? new Response(null, { status: 204 }) : Response.json(server.told))
  const body = { replaceChildren: vi.fn() }
  const location = { href: 'http://127.0.0.1/', pathname: '/', search: '?session=of-hers', hash: '', reload: vi.fn() }
  const history = { replaceState: vi.fn() }
  for (const [name, value] of Object.entries({ localStorage, location, history })) vi.stubGlobal(name, value)
  Object.assign(tab.document, { body })
  vi.resetModules()
  const { hasOwners } = await import('./owner')
  return { tab, server, body, location, history, localStorage, sessionStorage, hasOwners, ...await import('./login') }
}

type Page = Awaited<ReturnType<typeof page>>

async function settled(): Promise<void> {
  await vi.advanceTimersByTimeAsync(10)
}

/** Nothing is shown or kept, and the page begins anew, at no session's address. */
function left({ body, location, history, sessionStorage }: Page): boolean {
  const [gone, away] = [body.replaceChildren, location.reload].map((each) => each.mock.calls.length > 0)
  expect(gone).toBe(away)
  if (!away) return false
  expect(history.replaceState).toHaveBeenLastCalledWith(null, '', '/')
  expect(sessionStorage.items.size).toBe(0)
  return true
}

test('who signs in over another leaves what the other held; and what waited for her token waits for ever', async () => {
  const one = await page(told('ada'), HELD, 'ada')
  await one.look()
  const done = vi.fn()
  one.server.told = told(null)
  void one.renew(1000).then(done)
  await settled()
  expect(left(one)).toBe(false)
  one.server.told = told('bob', 2000)
  void one.signIn('a.b.c').then(done, done)
  await settled()
  expect(left(one)).toBe(true)
  expect(done).not.toHaveBeenCalled()
  // The other tabs hear of it.
  expect(one.localStorage.items.get('rejoin.owner')).toBe('bob')
})

test('who signs in again goes on', async () => {
  const one = await page(told('ada'), HELD, 'ada')
  await one.look()
  one.server.told = told(null)
  const renewed = one.renew(1000)
  await settled()
  expect(one.currentLogin()).toMatchObject({ signedIn: false, owner: 'ada', out: false })
  one.server.told = told('ada', 2000)
  await one.signIn('a.b.c')
  expect(await renewed).toBe(true)
  expect(left(one)).toBe(false)
  expect(Object.fromEntries(one.sessionStorage.items)).toEqual(HELD)
})

test.each([['ada', false], ['bob', true]])('a tab of hers that is opened when %s is signed in is left: %s', async (who, is) => {
  const one = await page(told(null), HELD, 'ada')
  await one.look()
  expect(left(one)).toBe(false)
  one.server.told = told(who)
  await Promise.race([one.look(), settled()])
  expect(left(one)).toBe(is)
})

test.each(['storage', 'pageshow', 'focus'])('what another tab has kept is seen at %s: another person, or nobody', async (how) => {
  for (const next of ['bob', '']) {
    const one = await page(told('ada'), HELD, 'ada')
    await one.look()
    one.tab.happens(how, { key: 'rejoin.owner' })
    expect(left(one)).toBe(false)
    one.localStorage.items.set('rejoin.owner', next)
    one.tab.happens(how, { key: 'rejoin.owner' })
    expect(left(one)).toBe(true)
  }
})

test('somebody whom the application has signed in is found when the tab is looked at', async () => {
  const one = await page(told('ada'), {}, 'ada')
  await one.look()
  one.server.told = told('bob')
  one.tab.happens('focus')
  await settled()
  expect(left(one)).toBe(true)
})

test('who signs out leaves, and has all tabs know', async () => {
  const one = await page(told('ada'), HELD, 'ada')
  await one.look()
  void one.signOut()
  await settled()
  expect(left(one)).toBe(true)
  expect(one.localStorage.items.get('rejoin.owner')).toBe('')
})

test('a link that was shared stays where it is', async () => {
  const one = await page(told('ada'), HELD, 'ada')
  await one.look()
  Object.assign(one.location, { hash: '#share=x.y.z', search: '?session=shared-session' })
  void one.signOut()
  await settled()
  expect(one.location.reload).toHaveBeenCalled()
  expect(one.history.replaceState).not.toHaveBeenCalled()
})

test('what a page that was left has written as it went is dropped before it is read', async () => {
  const { 'rejoin.owner': _, ...written } = HELD
  const one = await page(told('bob'), written, 'bob')
  expect(one.sessionStorage.items.size).toBe(0)
})

test('where nobody signs in all stays as it is, also what was kept while somebody did', async () => {
  const { 'rejoin.owner': _, ...written } = HELD
  const one = await page(NONE, written)
  await one.look()
  expect([one.hasOwners(), one.sessionStorage.items.size]).toEqual([false, 2])
  const other = await page(NONE, HELD, 'ada')
  expect(other.hasOwners()).toBe(true)
  await other.look()
  expect([other.hasOwners(), other.sessionStorage.items.size, left(other)]).toEqual([false, 3, false])
})

test('the list is the reader\'s, as soon as they are known; where nobody signs in it is the browser\'s', async () => {
  const one = await page(told('ada'), {}, 'ada')
  const { recentSessions, remember } = await import('./sessions')
  await one.look()
  remember('hers-0001', 'What Ada wants to know', 1)
  expect(recentSessions().length).toBe(1)
  const kept = one.localStorage.items
  expect([...kept.keys()]).toEqual(['rejoin.owner', 'rejoin.sessions ada'])
  for (const [who, listed] of [['bob', 0], ['ada', 1]] as const) {
    const other = await page(told(who))
    for (const [key, value] of kept) other.localStorage.items.set(key, value)
    const { recentSessions } = await import('./sessions')
    await other.look()
    expect(recentSessions().length).toBe(listed)
  }
  const free = await page(NONE)
  const { remember: note } = await import('./sessions')
  await free.look()
  note('anyones-0001', 'Why?', 1)
  expect([...free.localStorage.items.keys()]).toEqual(['rejoin.sessions'])
})
