import { useEffect, useState } from 'react'

import { sharedLink } from './address'
import { Shared } from './shared/Shared'
import { Gate } from './sign-in/Gate'

/** The page: one's own conversations, or what somebody else has shared. */
export function App() {
  const [link, setLink] = useState(sharedLink)
  useEffect(() => {
    const onMove = () => setLink(sharedLink())
    addEventListener('popstate', onMove)
    addEventListener('hashchange', onMove)
    return () => {
      removeEventListener('popstate', onMove)
      removeEventListener('hashchange', onMove)
    }
  }, [])
  return link ? <Shared key={`${link.session} ${link.token}`} {...link} /> : <Gate />
}
