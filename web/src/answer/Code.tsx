import { memo, useCallback, useEffect, useMemo, useReducer, type ComponentProps } from 'react'
import type { ExtraProps } from 'streamdown'

import { CopyButton } from '../CopyButton'
import { useLazy } from '../hooks/useLazy'
import { useCode } from './codes'
import type { Coloured, Line } from './highlighter'
import { inTurn } from './turn'

type Element = NonNullable<ExtraProps['node']>

/** A block of code: its language, a button to copy it, its words in colour once the highlighter is there. */
export function Code({ node }: ComponentProps<'pre'> & ExtraProps) {
  const { language, text } = read(node)
  const code = useCode(text).replace(/\n+$/, '')
  const blocks = useMemo(() => inBlocks(code), [code])
  const coloured = useColours(language, blocks)
  return (
    <figure className="code">
      <figcaption>
        <span>{language}</span>
        <CopyButton label="Copy code" text={code} />
      </figcaption>
      <pre tabIndex={0}>
        <code>{blocks.map((block, index) => <Block key={index} text={block} lines={coloured?.blocks[index]} />)}</code>
      </pre>
    </figure>
  )
}

/** The colours of as much as there was time for; the rest follows, a little at a time. */
function useColours(language: string, blocks: readonly string[]): Coloured | undefined {
  const load = useCallback(async () => {
    const { highlighter } = await import('./highlighter')
    return { highlight: await highlighter(language) }
  }, [language])
  const highlight = useLazy(language !== '', load)?.highlight
  const [pass, goOn] = useReducer((pass: number) => pass + 1, 0)
  const coloured = useMemo(() => highlight?.of(blocks), [highlight, blocks, pass])
  useEffect(() => {
    if (!highlight || !coloured?.more) return
    return inTurn(() => {
      highlight.goOn(blocks)
      goOn()
    })
  }, [highlight, blocks, coloured])
  return coloured
}

/** A few lines, which the browser need not lay out before they come into sight. */
const Block = memo(function Block({ text, lines }: { text: string, lines: readonly Line[] | undefined }) {
  const size = { containIntrinsicBlockSize: `${text.split('\n').length - 1}lh` }
  return <span className="lines" style={size}>{lines ? lines.map(tokens) : text}</span>
}, (one, other) => one.text === other.text && one.lines === other.lines)

function tokens(line: Line, number: number) {
  return (
    <span key={number}>
      {line.map(({ content, color, offset }) => <span key={offset} style={{ color }}>{content}</span>)}
      {'\n'}
    </span>
  )
}

const LINES = /(?:.*\n){32}|[^]+$/g

function inBlocks(code: string): readonly string[] {
  return code.match(LINES) ?? []
}

/** What stands in a `pre`: a `code` with a language for its class, and the text. */
function read(pre: Element | undefined): { language: string, text: string } {
  const code = pre?.children[0]
  if (code?.type !== 'element') return { language: '', text: words(pre) }
  const names = code.properties.className
  const name = Array.isArray(names) ? names.find((name) => String(name).startsWith('language-')) : undefined
  return { language: String(name ?? '').slice('language-'.length).toLowerCase(), text: words(code).replace(/\n+$/, '') }
}

function words(node: Element | undefined): string {
  return (node?.children ?? [])
    .map((child) => child.type === 'text' ? child.value : child.type === 'element' ? words(child) : '')
    .join('')
}
