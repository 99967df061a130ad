/** Whose page this is: what a tab and the browser keep of one reader is not for whoever signs in next. */

import { sharedLink } from './address'
import { drop, forgetAll, keep, keepHere, nameOwner, recall, recallHere } from './storage'

/** For the browser who signed in last, empty once they are out; for the tab whose words and drafts it keeps. */
const STORED = 'rejoin.owner'

let owner: string | null = null
/** What the browser kept when this page became somebody's: storage may be forbidden, or full. */
let kept: string | null = null

/** Whether anybody has signed in in this browser: what it keeps may be another's, until the server says who reads. */
export function hasOwners(): boolean {
  return recall(STORED) !== null
}

/** Somebody is signed in, and all tabs hear of it. False where what this tab holds is another's: it is to be left. */
export function belongTo(next: string): boolean {
  const before = owner ?? recallHere(STORED)
  keep(STORED, next)
  if (before !== null && before !== next) return false
  keepHere(STORED, next)
  nameOwner(next)
  owner = next
  kept = recall(STORED)
  return true
}

/** Nobody is signed in any more, in all tabs. */
export function signedOut(): Promise<never> {
  keep(STORED, '')
  return leave()
}

/** Nobody signs in here: what is kept is whoever's who has the browser. */
export function belongToNobody(): void {
  drop(STORED)
}

/** Begin anew, as in a new tab. Whatever waits for this goes on no more: a question would be asked in another's name. */
export function leave(): Promise<never> {
  forgetAll()
  // Nothing of it is seen while the new page is on its way.
  document.body.replaceChildren()
  if (!sharedLink()) history.replaceState(null, '', location.pathname)
  location.reload()
  return new Promise(() => {})
}

function check(): void {
  if (owner !== null && recall(STORED) !== kept) void leave()
}

// A page that sleeps in the browser's history hears of nothing, and is shown again.
for (const type of ['storage', 'pageshow', 'focus']) addEventListener(type, check)
// A page writes what it holds as it goes, also the one that was left.
if (hasOwners() && recallHere(STORED) === null) forgetAll()
