import { memo, useMemo, useState } from 'react'
import { Streamdown } from 'streamdown'

import { useLazy } from '../hooks/useLazy'
import { hasFormula, withFormulas, withLooseNotes } from './dialect'
import { elements } from './elements'
import { Sections } from './sections'

interface Props {
  text: string
  /** Words still come. */
  growing: boolean
  /** It ended as its writer meant it to; else what is open at its end is closed for it. */
  finished: boolean
}

/** The words of an answer, as Markdown, also half-way through. */
export const Answer = memo(function Answer({ text, growing, finished }: Props) {
  const [sections] = useState(() => new Sections())
  const parts = useMemo(() => sections.of(text), [sections, text])
  return (
    <div className="answer" data-growing={growing}>
      {parts.map((part, index) => (
        <Section key={index} text={part} open={!finished && index === parts.length - 1} />
      ))}
      {growing && !text && <p className="typing" aria-hidden="true"><span /><span /><span /></p>}
    </div>
  )
})

const Section = memo(function Section({ text, open }: { text: string, open: boolean }) {
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
