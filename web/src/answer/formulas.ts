/** The formulas of an answer, by KaTeX: loaded when the first one comes. */

import 'katex/dist/katex.min.css'

import type { Element, ElementContent, Root } from 'hast'
import { fromDom } from 'hast-util-from-dom'
import katex from 'katex'
import remarkMath from 'remark-math'
import type { MathPlugin } from 'streamdown'
import { SKIP, visitParents } from 'unist-util-visit-parents'

/**
 * Built as nodes: of KaTeX's HTML as text, the content policy would refuse every style. So it would those of KaTeX's own
 * error; one that is half-way through, or no formula at all, stands there as it was written.
 */
function rendered(formula: string, displayMode: boolean): ElementContent[] {
  const place = document.createElement('span')
  try {
    katex.render(formula, place, { displayMode, strict: 'ignore' })
  } catch {
    return [{ type: 'text', value: formula }]
  }
  return (fromDom(place) as Element).children
}

/** Every `code` that remark-math has marked; as a block it stands in a `pre`. */
function rehypeFormulas() {
  return (tree: Root) => {
    visitParents(tree, { tagName: 'code' }, (code: Element, ancestors) => {
      const names = code.properties.className
      if (!Array.isArray(names) || !names.includes('language-math')) return undefined
      const parent = ancestors.at(-1)
      const formula = code.children.map((child) => child.type === 'text' ? child.value : '').join('')
      if (parent?.type === 'element' && parent.tagName === 'pre') {
        Object.assign(parent, { tagName: 'div', properties: {}, children: rendered(formula, true) })
      } else {
        Object.assign(code, { tagName: 'span', properties: {}, children: rendered(formula, false) })
      }
      return SKIP
    })
  }
}

export const math: MathPlugin = {
  name: 'katex',
  type: 'math',
  remarkPlugin: [remarkMath, { singleDollarTextMath: false }],
  rehypePlugin: rehypeFormulas,
}
