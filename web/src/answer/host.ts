/** Where a link really leads, for those whose words say another place. */

import type { ElementContent } from 'hast'

/** A scheme, or a name with a dot in it. */
const LIKE_ADDRESS = /^(?:[a-z][a-z0-9+.-]*:\/\/|mailto:|[^\s/]*[^\s/.]\.[^\s/.]{2,}(?:[/:?#]|$))/iu
const SCHEME = /^(?:[a-z][a-z0-9+.-]*:\/\/|mailto:)/

/** The host that it leads to, where its words look like an address and begin with another one; else empty. */
export function otherHost(words: string, href: string): string {
  const said = words.trim().toLowerCase()
  if (!LIKE_ADDRESS.test(said) || !URL.canParse(href, location.href)) return ''
  const { host, pathname } = new URL(href, location.href)
  const place = host || pathname // of mailto: there is no host
  const bare = said.replace(SCHEME, '')
  const next = bare.startsWith(place) ? bare.charAt(place.length) : '@'
  return '/?#:'.includes(next) ? '' : place
}

/** The words of an element, whatever stands between them. */
export function words(nodes: readonly ElementContent[] = []): string {
  return nodes.map((node) => node.type === 'text' ? node.value : 'children' in node ? words(node.children) : '').join('')
}
