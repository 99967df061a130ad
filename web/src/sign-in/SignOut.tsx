import { useMutation } from '@tanstack/react-query'

import { Alert } from '../Alert'
import { signOut } from '../login'

/** The way out. */
export function SignOut() {
  const { mutate, isPending, error } = useMutation({ mutationFn: signOut })
  return (
    <div className="out">
      {error && <Alert text={`That did not work. ${error.message}`} />}
      <button type="button" disabled={isPending} onClick={() => mutate()}>Sign out</button>
    </div>
  )
}
