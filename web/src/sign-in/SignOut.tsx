import { useMutation } from '@tanstack/react-query'

import { Alert } from '../Alert'
import { signOut } from '../login'
import { forgetSession } from '../rejoin'
import { forgetAll } from '../storage'

/** The way out; what this tab remembers of the words goes too. */
export function SignOut({ session }: { session: string }) {
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => {
      forgetSession(session)
      return signOut()
    },
    onSuccess: forgetAll,
  })
  return (
    <div className="out">
      {error && <Alert text={`That did not work. ${error.message}`} />}
      <button type="button" disabled={isPending} onClick={() => mutate()}>Sign out</button>
    </div>
  )
}
