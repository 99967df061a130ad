/** A link whose words say another place than the one it leads to tells where that is. */

import { expect, test, vi } from 'vitest'

import { otherHost } from './host'

vi.stubGlobal('location', { href: 'https://chat.example/?session=s' })

test.each([
  ['https://bank.example', 'https://evil.example/', 'evil.example'],
  ['bank.example', 'https://evil.example/', 'evil.example'],
  ['www.bank.example/login', 'https://evil.example/', 'evil.example'],
  [' HTTPS://Bank.Example/ ', 'https://evil.example/', 'evil.example'],
  ['https://bank.example@evil.example/', 'https://bank.example@evil.example/', 'evil.example'],
  ['https://bank.example:443@evil.example/', 'https://bank.example:443@evil.example/', 'evil.example'],
  [`https://bank.example.${'a'.repeat(300)}/`, 'https://evil.example/', 'evil.example'],
  ['https://evil.example', 'https://evil.example.other.example/', 'evil.example.other.example'],
  ['https://evil.example.bank.example', 'https://evil.example/', 'evil.example'],
  ['https://bаnk.example', 'https://bаnk.example/', 'xn--bnk-6cd.example'],
  ['https://bank.example', '//evil.example/', 'evil.example'],
  ['https://bank.example', '/api/models', 'chat.example'],
  ['someone@bank.example', 'mailto:someone@evil.example', 'someone@evil.example'],
])('%s, which leads to %s', (words, href, host) => {
  expect(otherHost(words, href)).toBe(host)
})

test.each([
  ['a page', 'https://elsewhere.example/'],
  ['Is it so? Yes. It is', 'https://elsewhere.example/'],
  ['https://bank.example', 'https://bank.example/'],
  ['https://bank.example:8443/x', 'https://bank.example:8443/x'],
  ['http://bank.example/?a=b#c', 'https://bank.example/?a=b#c'],
  ['bank.example/login', 'https://bank.example/login'],
  ['someone@bank.example', 'mailto:someone@bank.example'],
  ['https://bank.example', 'http://['],
])('%s, which leads to %s, deceives nobody', (words, href) => {
  expect(otherHost(words, href)).toBe('')
})
