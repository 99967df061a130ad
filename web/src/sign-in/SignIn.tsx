import { useMutation } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'

import { advice } from '../advice'
import { Alert } from '../Alert'
import { Refusal } from '../http'
import { signIn } from '../login'
import { Modal } from '../Modal'

/** Asks for a token. `again`: the reader was signed in until a moment ago. */
export function SignIn({ again }: { again: boolean }) {
  const [token, setToken] = useState('')
  const { mutate, error, isPending } = useMutation({ mutationFn: signIn })
  const onSubmit = (event: FormEvent) => {
    event.preventDefault()
    if (token.trim() && !isPending) mutate(token)
  }
  return (
    <Modal label="Sign in">
      <form className="card" onSubmit={onSubmit}>
        <h2>{again ? 'Please sign in again' : 'Please sign in'}</h2>
        <p>
          {again && 'Your sign-in has ended. Everything stays as it is, and goes on from here. '}
          Usually the application that this page belongs to signs you in. If you have been given a token, paste it here.
        </p>
        {!isSecureContext && (
          <Alert text="This page came over plain HTTP, where browsers keep no sign-in. Open it over HTTPS, or on localhost." />
        )}
        {error && <Alert text={said(error)} />}
        <label htmlFor="token">Token</label>
        <input id="token" type="password" autoComplete="off" spellCheck={false} autoFocus
          value={token} onChange={({ target }) => setToken(target.value)} />
        <p className="buttons"><button type="submit" className="send" disabled={!token.trim() || isPending}>Sign in</button></p>
        <details>
          <summary>For whoever runs this</summary>
          <p>
            Have your application send <code>POST /api/login</code> from this origin with the
            header <code>Authorization: Bearer …</code>: the answer sets a cookie, and a page that waits here goes on.
          </p>
        </details>
      </form>
    </Modal>
  )
}

function said(error: Error): string {
  return [error.message, error instanceof Refusal && advice(error.code)].filter(Boolean).join(' ')
}
