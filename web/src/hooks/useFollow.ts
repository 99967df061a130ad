import { useCallback, useEffect, useRef, useState } from 'react'

const AT_THE_END_PX = 2
const NEAR_THE_END_PX = 48

export interface Follow {
  /** Whether the end stays in sight while the page grows. */
  following: boolean
  jump(): void
}

/** Keep the end of the page in sight while it grows, unless the reader has scrolled up. */
export function useFollow(): Follow {
  const [following, setFollowing] = useState(true)
  const follows = useRef(true)
  const become = useCallback((yes: boolean) => {
    follows.current = yes
    setFollowing(yes)
  }, [])
  const jump = useCallback(() => {
    become(true)
    toTheEnd()
  }, [become])

  useEffect(() => {
    let before = window.scrollY
    const onScroll = () => {
      const up = window.scrollY < before
      before = window.scrollY
      // Up is the reader's own doing: the page itself only ever goes down.
      if (up) become(below() <= AT_THE_END_PX)
      else if (below() <= NEAR_THE_END_PX) become(true)
    }
    addEventListener('scroll', onScroll, { passive: true })
    return () => removeEventListener('scroll', onScroll)
  }, [become])

  useEffect(() => {
    const growing = new ResizeObserver(() => follows.current && toTheEnd())
    growing.observe(document.body)
    return () => growing.disconnect()
  }, [])

  return { following, jump }
}

/** How much is still to be seen below, in px. */
function below(): number {
  const { scrollHeight, scrollTop, clientHeight } = document.documentElement
  return scrollHeight - scrollTop - clientHeight
}

function toTheEnd(): void {
  scrollTo({ top: document.documentElement.scrollHeight, behavior: 'instant' })
}
