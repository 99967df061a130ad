import { useCallback, useEffect, useRef, useState } from 'react'

import { currentSession, newSession, openSession } from './address'
import { Conversation } from './conversation/Conversation'
import { Conversations } from './shell/Conversations'
import { Header } from './shell/Header'

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
    setListed(false)
    toggle.current?.focus()
  }, [])
  useEffect(() => {
    if (!listed) return
    const onKey = ({ key }: KeyboardEvent) => key === 'Escape' && close()
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
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
      <Conversations current={session} open={listed} onOpen={open} onNew={begin} />
      {listed && <div className="veil" onClick={close} />}
      <div className="page">
        <Header toggle={toggle} listed={listed} onToggle={() => setListed(!listed)} onNew={begin} />
        <Conversation key={session} id={session} whole={whole} onWhole={setWhole} />
      </div>
    </>
  )
}
