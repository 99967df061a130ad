import { Alert } from '../Alert'
import type { Share } from '../api'
import type { Sharing } from '../hooks/useShares'

const WHEN = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

/** The links that work now, each with the way to take it back. */
export function Links({ links, revoke }: { links: readonly Share[], revoke: Sharing['revoke'] }) {
  if (links.length === 0) return null
  return (
    <section aria-label="Links of this conversation">
      <h3>Links that work now</h3>
      {revoke.error && <Alert text={`That link still works. ${revoke.error.message}`} />}
      <ul>
        {links.map((link) => (
          <li key={link.shareId}>
            <span>{name(link)}, until {WHEN.format(link.expiresAt * 1000)}</span>
            <button type="button" disabled={revoke.isPending} onClick={() => revoke.mutate(link.shareId)}>Revoke</button>
          </li>
        ))}
      </ul>
    </section>
  )
}

function name({ generation }: Share): string {
  return generation === null ? 'The whole conversation' : `Turn ${generation}`
}
