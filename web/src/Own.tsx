import { useCallback, useEffect, useRef, useState } from 'react'
import { flushSync } from 'react-dom'

import { currentSession, keepSession, newSession, openSession } from './address'
import { Conversation } from './conversation/Conversation'
import type { Login } from './login'
import { Share } from './share/Share'
import { Conversations } from './shell/Conversations'
import { Header } from './shell/Header'
import { Watching } from './shell/Watching'
import { SignIn } from './sign-in/SignIn'
import { SignOut } from './sign-in/SignOut'

/** Where the list has its place beside the page; style.css says the same. */
const WIDE = '(min-width: 56.01rem)'

/** What is to be shared: one answer, or null for all of them. */
export type Sharing = { generation: number | null }

/** One's own conversations: the recent ones, and one of them open. */
export function Own({ login }: { login: Login }) {
  const [sharing, setSharing] = useState<Sharing | null>(null)
  const [session, setSession] = useState(currentSession)
  const [listed, setListed] = useState(false)
  const [whole, setWhole] = useState(false)
  const toggle = useRef<HTMLButtonElement>(null)

  useEffect(() => {
    const onBack = () => setSession(currentSession())
    addEventListener('popstate', onBack)
    return () => removeEventListener('popstate', onBack)
  }, [])

  useEffect(() => keepSession(session), [session, login.owner])

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
    setSharing(null)
  }, [])
  const begin = useCallback(() => open(newSession()), [open])

  const asked = login.auth === 'jwt' && !login.signedIn
  return (
    <>
      <a className="skip" href="#question">Skip to the question</a>
      <Conversations current={session} open={listed} onOpen={open} onNew={begin} onClose={close}>
        {login.auth === 'jwt' && <SignOut />}
      </Conversations>
      {listed && <div className="veil" onClick={close} />}
      <div className="page" inert={listed}>
        <Header toggle={toggle} listed={listed} onToggle={() => setListed(!listed)} onNew={begin}
          onShare={login.sharing ? () => setSharing({ generation: null }) : undefined}>
          <Watching session={session} on={login.sharing} />
        </Header>
        <Conversation key={session} id={session} whole={whole} onWhole={setWhole}
          onShare={login.sharing ? setSharing : undefined} />
      </div>
      {sharing && <Share session={session} {...sharing} onClose={() => setSharing(null)} />}
      {asked && <SignIn again />}
    </>
  )
}
