import type { Root } from 'hast'
import { expect, test } from 'vitest'

import { mark } from './codes'
import html from './html'

test('code whose mark stands among words is shown as code there, and the words around it stay', () => {
  const tree: Root = {
    type: 'root',
    children: [{
      type: 'element', tagName: 'p', properties: {}, children: [{ type: 'text', value: `Before ${mark(0)} after` }],
    }],
  }
  html()(tree)
  const [paragraph] = tree.children
  const children = paragraph && 'children' in paragraph ? paragraph.children : []
  expect(children.map((child) => child.type === 'element' ? child.tagName : child.type)).toEqual(['text', 'pre', 'text'])
})

test('the mark of code in its own place is left to it', () => {
  const code = { type: 'element' as const, tagName: 'code', properties: {}, children: [{ type: 'text' as const, value: mark(0) }] }
  const tree: Root = { type: 'root', children: [{ type: 'element', tagName: 'pre', properties: {}, children: [code] }] }
  const before = structuredClone(tree)
  html()(tree)
  expect(tree).toEqual(before)
})
