/**
 * HTML in an answer: a few plain tags are taken for what they mean, everything else is shown as it was written.
 *
 * It stands in for `rehype-raw` (see vite.config.ts), which brings a whole HTML parser along: a fifth of the page.
 */

import type { ElementContent, Parents, Root, RootContent } from 'hast'

import { apart } from './codes'

type Raw = { type: 'raw', value: string }
type Child = RootContent | Raw

const PAIRED = new Set(['b', 'i', 'em', 'strong', 's', 'del', 'ins', 'u', 'mark', 'small', 'sub', 'sup', 'kbd'])
const BREAK = /^<br\s*\/?>$/i
const COMMENT = /^<!--[^]*-->$/
const TAG = /^<(\/?)([a-z]+)>$/i

export default function html() {
  return (tree: Root) => {
    settle(tree)
  }
}

function settle(parent: Parents): void {
  parent.children = paired(parent.children as Child[]).flatMap(marked) as typeof parent.children
  for (const child of parent.children) {
    if ('children' in child && !isCode(child)) settle(child)
  }
}

function isCode(child: RootContent): boolean {
  return child.type === 'element' && child.tagName === 'pre'
}

/**
 * Code whose mark stands among words is shown as code. Where Markdown sees no code and the sections did, in text that is
 * strangely nested, no word may be lost.
 */
function marked(child: RootContent): RootContent[] {
  if (child.type !== 'text') return [child]
  return apart(child.value).map((value, index) => index % 2 === 0 ? { type: 'text', value } : {
    type: 'element', tagName: 'pre', properties: {},
    children: [{ type: 'element', tagName: 'code', properties: {}, children: [{ type: 'text', value }] }],
  })
}

/** The children with each pair of tags made an element, and each other tag made text. */
function paired(children: Child[]): RootContent[] {
  const settled: Child[] = []
  for (const child of children) {
    if (child.type !== 'raw') settled.push(child)
    else if (!close(settled, child)) settled.push(...opened(child))
  }
  return settled.map((child) => child.type === 'raw' ? { type: 'text', value: child.value } : child)
}

/** A closing tag takes what stands after its opening one; false where it is none, or where that is missing. */
function close(settled: Child[], { value }: Raw): boolean {
  const [, slash, name = ''] = TAG.exec(value.trim()) ?? []
  if (!slash) return false
  const opening = settled.findLastIndex((child) => child.type === 'raw' && child.value === `<${name.toLowerCase()}>`)
  if (opening < 0) return false
  const inside = settled.splice(opening).slice(1)
  const words = inside.map((child) => child.type === 'raw' ? { type: 'text' as const, value: child.value } : child)
  const tagName = name.toLowerCase()
  settled.push({ type: 'element', tagName, properties: {}, children: words as ElementContent[] })
  return true
}

/** What is not closed yet, or never will be. */
function opened({ value }: Raw): Child[] {
  const tag = value.trim()
  if (BREAK.test(tag)) return [{ type: 'element', tagName: 'br', properties: {}, children: [] }]
  if (COMMENT.test(tag)) return []
  const [, slash, name = ''] = TAG.exec(tag) ?? []
  const known = !slash && PAIRED.has(name.toLowerCase())
  return [known ? { type: 'raw', value: `<${name.toLowerCase()}>` } : { type: 'text', value }]
}
