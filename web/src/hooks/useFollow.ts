import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'

const AT_THE_END_PX = 2
const NEAR_THE_END_PX = 48

export interface Follow {
  /** Whether the end stays in sight while the page grows. */
  following: boolean
  jump(): void
}

/** Keep the end of the page in sight while it grows, unless the reader has scrolled up or unfolds something. */
export function useFollow(): Follow {
  const [following, setFollowing] = useState(true)
  const follows = useRef(true)
  /** Where the page has been scrolled to, by the reader or by itself. */
  const at = useRef(0)
  const become = useCallback((yes: boolean) => {
    follows.current = yes
    setFollowing(yes)
  }, [])
  const toTheEnd = useCallback(() => {
    scrollTo({ top: document.documentElement.scrollHeight, behavior: 'instant' })
    at.current = window.scrollY
  }, [])
  const jump = useCallback(() => {
    become(true)
    toTheEnd()
  }, [become, toTheEnd])

  // At once with what is drawn: a page that shrinks and grows again is scrolled up by the browser in between, and
  // that would look as if the reader had done it.
  useLayoutEffect(() => {
    if (follows.current) toTheEnd()
  })

  useEffect(() => {
    const onScroll = () => {
      const up = window.scrollY < at.current
      at.current = window.scrollY
      if (up) become(below() <= AT_THE_END_PX)
      else if (below() <= NEAR_THE_END_PX) become(true)
    }
    // Who unfolds something wants to read it: it stays where it is.
    const onClick = ({ target }: MouseEvent) => {
      if (target instanceof Element && target.closest('summary')) become(false)
    }
    addEventListener('scroll', onScroll, { passive: true })
    addEventListener('click', onClick)
    return () => {
      removeEventListener('scroll', onScroll)
      removeEventListener('click', onClick)
    }
  }, [become])

  useEffect(() => {
    const resized = new ResizeObserver(() => {
      if (follows.current) toTheEnd()
      else if (below() <= AT_THE_END_PX) become(true)
    })
    resized.observe(document.body)
    return () => resized.disconnect()
  }, [become, toTheEnd])

  return { following, jump }
}

/** How much is still to be seen below, in px. */
function below(): number {
  const { scrollHeight, scrollTop, clientHeight } = document.documentElement
  return scrollHeight - scrollTop - clientHeight
}
