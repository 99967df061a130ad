/** The elements of an answer, plain: the renderer's own come with buttons and the class names of another style. */

import type { ComponentProps, MouseEvent, ReactNode } from 'react'
import type { Components, ExtraProps } from 'streamdown'

import { Code } from './Code'
import { otherHost, words } from './host'

/** A way out of the page: in a new tab, which learns nothing of this one; and no words hide where it leads. */
function Away({ href, said, name, children }: { href: string, said: string, name?: string, children: ReactNode }) {
  const host = otherHost(said, href)
  return (
    <a className={name} href={href} title={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
      {host && <span className="host"> ({host})</span>}
    </a>
  )
}

/** A link: out of the page, or to a note of the answer itself. */
function Link({ node, href, children, ...rest }: ComponentProps<'a'> & ExtraProps) {
  // Still being written, or not an address that may be opened.
  if (!href || href.startsWith('streamdown:')) return <>{children}</>
  if (href.startsWith('#')) return <a {...rest} href={href} onClick={toNote}>{children}</a>
  return <Away href={href} said={words(node?.children)}>{children}</Away>
}

/** To a footnote of this very answer, and back: others have notes of the same names. */
function toNote(event: MouseEvent<HTMLAnchorElement>) {
  event.preventDefault()
  const name = event.currentTarget.hash.slice(1)
  const notes = event.currentTarget.closest('.section')?.querySelectorAll('[id]') ?? []
  // The sanitiser has put its prefix before the names, but not into the links.
  Array.from(notes).find(({ id }) => id.endsWith(name))?.scrollIntoView({ block: 'center' })
}

/** An image is a link: what a model names must not be fetched unless the reader wants it. */
function Image({ src, alt }: ComponentProps<'img'> & ExtraProps) {
  const name = alt || 'Image'
  if (typeof src !== 'string' || src.startsWith('streamdown:')) return <>{name}</>
  return <Away name="image" href={src} said={name}>{name}</Away>
}

/** Wider than the page, it scrolls by itself, also by keys. */
function Table({ children }: ComponentProps<'table'> & ExtraProps) {
  return <div className="table" role="group" aria-label="Table" tabIndex={0}><table>{children}</table></div>
}

/** The box of a task in a list. */
function Box({ checked }: ComponentProps<'input'> & ExtraProps) {
  return <input type="checkbox" disabled checked={checked ?? false} readOnly aria-label={checked ? 'Done' : 'To do'} />
}

export const elements: Components = {
  a: Link, img: Image, table: Table, pre: Code, input: Box,
  h1: 'h1', h2: 'h2', h3: 'h3', h4: 'h4', h5: 'h5', h6: 'h6', p: 'p', strong: 'strong', blockquote: 'blockquote',
  ul: 'ul', ol: 'ol', li: 'li', hr: 'hr', code: 'code', sup: 'sup', sub: 'sub',
  thead: 'thead', tbody: 'tbody', tr: 'tr', th: 'th', td: 'td',
}
