import { useCallback, useEffect, useRef, useState } from 'react'
import { flushSync } from 'react-dom'

import { currentSession, newSession, openSession } from './address'
import { Conversation } from './conversation/Conversation'
import { Conversations } from './shell/Conversations'
import { Header } from './shell/Header'

/** Where the list has its place beside the page; style.css says the same. */
const WIDE = '(min-width: 56.01rem)'

/** The page: the recent conversations, and one of them open. */
export function App() {
  const [session, setSession] = useState(currentSession)
  const [listed, setListed] = useState(false)
  const [whole, setWhole] = useState(false)
  const toggle = useRef<HTMLButtonElement>(null)

  useEffect(() => {
    const onBack = () => setSession(currentSession())
    addEventListener('popstate', onBack)
    return () => removeEventListener('popstate', onBack)
  }, [])

  const close = useCallback(() => {
    // At once, for what is inert takes no focus.
    flushSync(() => setListed(false))
    toggle.current?.focus()
  }, [])
  useEffect(() => {
    if (!listed) return
    const onKey = ({ key }: KeyboardEvent) => key === 'Escape' && close()
    // A window that grows has room for both.
    const onWide = () => setListed(false)
    const wide = matchMedia(WIDE)
    addEventListener('keydown', onKey)
    wide.addEventListener('change', onWide)
    return () => {
      removeEventListener('keydown', onKey)
      wide.removeEventListener('change', onWide)
    }
  }, [listed, close])

  const open = useCallback((id: string) => {
    openSession(id)
    setSession(id)
    setListed(false)
  }, [])
  const begin = useCallback(() => open(newSession()), [open])

  return (
    <>
      <a className="skip" href="#question">Skip to the question</a>
      <Conversations current={session} open={listed} onOpen={open} onNew={begin} onClose={close} />
      {listed && <div className="veil" onClick={close} />}
      <div className="page" inert={listed}>
        <Header toggle={toggle} listed={listed} onToggle={() => setListed(!listed)} onNew={begin} />
        <Conversation key={session} id={session} whole={whole} onWhole={setWhole} />
      </div>
    </>
  )
}
