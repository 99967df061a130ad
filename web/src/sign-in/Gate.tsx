import { useLogin } from '../hooks/useLogin'
import { Own } from '../Own'
import { hasOwners } from '../owner'
import { SignIn } from './SignIn'

/** One's own conversations. Where nobody has ever signed in, nothing waits for the server to say who reads. */
export function Gate() {
  const login = useLogin()
  if (login.out) return <SignIn again={false} />
  if (login.known || !hasOwners()) return <Own login={login} />
  return (
    <main className="page">
      <div className="hint" role="status"><p>One moment …</p></div>
    </main>
  )
}
