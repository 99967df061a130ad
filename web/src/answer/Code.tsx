import { memo, useCallback, useMemo, type ComponentProps } from 'react'
import type { ExtraProps } from 'streamdown'

import { CopyButton } from '../CopyButton'
import { useLazy } from '../hooks/useLazy'
import type { Line } from './highlighter'

type Element = NonNullable<ExtraProps['node']>

/** A block of code: its language, a button to copy it, its words in colour once the highlighter is there. */
export function Code({ node }: ComponentProps<'pre'> & ExtraProps) {
  const { language, code } = read(node)
  const load = useCallback(async () => {
    const { highlighter } = await import('./highlighter')
    return { highlight: await highlighter(language) }
  }, [language])
  const highlight = useLazy(language !== '', load)?.highlight
  const lines = useMemo(() => highlight?.of(code), [highlight, code])
  return (
    <figure className="code">
      <figcaption>
        <span>{language}</span>
        <CopyButton label="Copy code" text={code} />
      </figcaption>
      <pre tabIndex={0}>
        <code>{lines ? lines.map((line, number) => <Tokens key={number} line={line} />) : code}</code>
      </pre>
    </figure>
  )
}

const Tokens = memo(function Tokens({ line }: { line: Line }) {
  return (
    <>
      {line.map(({ content, color, offset }) => <span key={offset} style={{ color }}>{content}</span>)}
      {'\n'}
    </>
  )
})

/** What stands in a `pre`: a `code` with a language for its class, and the text. */
function read(pre: Element | undefined): { language: string, code: string } {
  const code = pre?.children[0]
  if (code?.type !== 'element') return { language: '', code: words(pre) }
  const names = code.properties.className
  const name = Array.isArray(names) ? names.find((name) => String(name).startsWith('language-')) : undefined
  return { language: String(name ?? '').slice('language-'.length).toLowerCase(), code: words(code).replace(/\n+$/, '') }
}

function words(node: Element | undefined): string {
  return (node?.children ?? [])
    .map((child) => child.type === 'text' ? child.value : child.type === 'element' ? words(child) : '')
    .join('')
}
