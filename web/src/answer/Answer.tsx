import './answer.css'

import { memo, useMemo, useState } from 'react'
import { Streamdown } from 'streamdown'

import { useLazy } from '../hooks/useLazy'
import { Codes, withCodes } from './codes'
import { hasFormula, withFormulas, withLooseNotes } from './dialect'
import { elements } from './elements'
import { Sections, type Part } from './sections'
import { useDrawn } from './turn'

/** More than the sections at the end of an answer that are drawn at once are hardly in sight. */
const AT_ONCE = 2

interface Props {
  text: string
  /** Words still come. */
  growing: boolean
  /** It ended as its writer meant it to; else what is open at its end is closed for it. */
  finished: boolean
  /** The reader is likely to see its end first. */
  near: boolean
}

/** The words of an answer, as Markdown, also half-way through. */
export const Answer = memo(function Answer({ text, growing, finished, near }: Props) {
  const [sections] = useState(() => new Sections())
  const parts = useMemo(() => sections.of(text), [sections, text])
  return (
    <div className="answer" data-growing={growing}>
      {parts.map((part, index) => (
        <Section key={index} part={part} open={!finished && index === parts.length - 1}
          now={near && index >= parts.length - AT_ONCE} />
      ))}
      {growing && !text && <p className="typing" aria-hidden="true"><span /><span /><span /></p>}
    </div>
  )
})

/** Until it is its turn to be drawn, its words stand there as they were written: to be found, and to be read out. */
const Section = memo(function Section({ part, open, now }: { part: Part, open: boolean, now: boolean }) {
  if (useDrawn(now)) return <Codes value={part.codes}><Drawn text={part.text} open={open} /></Codes>
  return <div className="section plain">{withCodes(part.text, part.codes)}</div>
})

const Drawn = memo(function Drawn({ text, open }: { text: string, open: boolean }) {
  const markdown = useMemo(() => withFormulas(withLooseNotes(text)), [text])
  const formulas = useLazy(hasFormula(markdown), loadFormulas)
  return (
    <Streamdown
      className="section"
      components={elements}
      controls={false}
      isAnimating={open}
      parseIncompleteMarkdown={open}
      {...(formulas && { plugins: formulas })}
    >
      {markdown}
    </Streamdown>
  )
})

async function loadFormulas() {
  const { math } = await import('./formulas')
  return { math }
}
