import { describe, expect, test } from 'vitest'

import { withCodes } from './codes'
import { Sections, type Part } from './sections'

const times = (count: number, line: (number: number) => string) => Array.from({ length: count }, (_, at) => line(at + 1)).join('')
const written = (parts: Part[]) => parts.map(({ text, codes }) => withCodes(text, codes).replace(/\n(?=\n?$|```)/, '\n'))
const LONGEST = 16_001

const HEAD = '| a | b |\n|---|---|\n'

const GIANTS: Record<string, string> = {
  paragraph: times(10_000, (n) => `line ${n} of one paragraph\n`),
  'paragraph in one line': times(10_000, (n) => `word ${n} of one line `),
  'word without an end': 'x'.repeat(200_000),
  'word of pairs': '🌊'.repeat(50_000),
  list: times(10_000, (n) => `- item ${n}\n`),
  'numbered list': times(10_000, (n) => `${n}. item\n`),
  'list of lists': times(5_000, (n) => `- item ${n}\n  - within\n`),
  'list in the margin': times(10_000, (n) => `  - item ${n}\n`),
  quotation: times(10_000, (n) => `> line ${n}\n`),
}

describe('an answer in sections', () => {
  test.each(Object.entries(GIANTS))('a giant %s is cut, and nothing is lost or told twice', (_, giant) => {
    const parts = new Sections().of(giant)
    expect(parts.map(({ text }) => text).join('')).toBe(giant)
    expect(Math.max(...parts.map(({ text }) => text.length))).toBeLessThan(LONGEST)
    expect(parts.every(({ text }) => !/^[\uDC00-\uDFFF]/.test(text))).toBe(true)
  })

  test('a giant table has its head over each part', () => {
    const rows = times(10_000, (n) => `| row ${n} | x |\n`)
    const parts = new Sections().of(HEAD + rows)
    expect(parts.length).toBeGreaterThan(10)
    expect(parts.every(({ text }) => text.startsWith(HEAD) && text.length < LONGEST)).toBe(true)
    expect(parts.map(({ text }) => text.slice(HEAD.length)).join('')).toBe(rows)
  })

  test('a list numbered by ones is not begun anew', () => {
    const parts = new Sections().of(times(1_000, () => '1. item\n'))
    expect(parts).toHaveLength(1)
  })

  test('code of any length leaves its Markdown as it is while it grows', () => {
    const sections = new Sections()
    const code = times(10_000, (n) => `line ${n}\n`)
    const [before] = sections.of('Here:\n\n```js\nx\n')
    const [after] = sections.of(`Here:\n\n\`\`\`js\nx\n${code}`)
    expect(after?.text).toBe(before?.text)
    expect(after?.codes).toEqual([`x\n${code}`])
    const [closed, ...others] = sections.of(`Here:\n\n\`\`\`js\nx\n${code}\`\`\`\nDone.`)
    expect(closed?.codes).toEqual([`x\n${code}`])
    expect(closed?.text.endsWith('\n```\nDone.')).toBe(true)
    expect(others).toEqual([])
  })

  test.each([
    'text `` ``` `` text', '```inline``` code', '<pre>\n```\nx\n```\n</pre>', '<p>\n```\nx\n```', '<!--\n\n```\nx\n```\n-->',
    '$$\n```\n$$', '- item\n  ```\n  x\n  ```', '> ```\n> x\n> ```',
  ])('no code at the margin, nothing apart: %j', (text) => {
    expect(new Sections().of(text)).toEqual([{ text, codes: [] }])
  })

  test.each([
    '- ```\n  a\n  ```', '1. ```\n   a\n   ```', '- item\n  ```\n  not closed', '- item\n  ```\n  a\n    ```',
    '- item\n  - inner\n    ```\n    a', '- item\n  $$\n  x', '- ```\n  a\nleft',
    '1. one\n  ~~~\n  above the item\n~~~\n', '<textarea>\n\n```\nx\n```\n</textarea>', '<?php\n\n```\nx\n```\n?>',
  ])('what is open in an item, or in HTML, does not turn words after it into code: %j', (text) => {
    const [part, ...others] = new Sections().of(`${text}\n\nWords.\n\n\`\`\`\ncode\n\`\`\`\n\nMore words.\n`)
    expect(part?.codes).toEqual(['code\n'])
    expect(part?.text).toContain('Words.')
    expect(part?.text.endsWith('```\n\nMore words.\n')).toBe(true)
    expect(others).toEqual([])
  })

  test.each(['- item\n  $$\n  x\n', '- ```\n  a\n  ```\n'])('nor is it opened again by a cut after it: %j', (text) => {
    const prose = times(2_000, (n) => `line ${n} of a paragraph\n`)
    const parts = new Sections().of(`${text}\n${prose}`)
    expect(parts.length).toBeGreaterThan(2)
    expect(parts.map(({ text }) => text).join('')).toBe(`${text}\n${prose}`)
  })

  test('it is the same, however it came', () => {
    const text = `${GIANTS.list}\n\`\`\`js\n1\n\`\`\`\n\n# Heading\n\n${HEAD}${times(900, (n) => `| ${n} | y |\n`)}\n${GIANTS['paragraph in one line']}`
    const sections = new Sections()
    for (let end = 0; end < text.length; end += 997) sections.of(text.slice(0, end))
    expect(written(sections.of(text))).toEqual(written(new Sections().of(text)))
  })
})
