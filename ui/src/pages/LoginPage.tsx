import { type FormEvent, useState } from 'react'
import { ApiError, signIn } from '../api/client'
import { signedIn } from '../state/fleet'

/** Asks for the token. */
export function LoginPage() {
  const [failure, setFailure] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const token = String(new FormData(event.currentTarget).get('token') ?? '').trim()
    setBusy(true)
    setFailure(null)
    try {
      await signIn(token)
      await signedIn()
    } catch (error) {
      setBusy(false)
      if (!(error instanceof ApiError)) throw error
      setFailure(error.status === 401 ? 'That is not the token of this server.' : error.message)
    }
  }
  return (
    <main className="card">
      <h1>roost</h1>
      <p>
        This server asks who you are. In a terminal on its machine, <code>roost open</code> opens this page
        signed in, and <code>roost token</code> prints the token.
      </p>
      <form onSubmit={submit}>
        <label>
          Token
          <input name="token" type="password" required autoComplete="current-password" className="mono" />
        </label>
        {failure && (
          <p role="alert" className="failure">
            {failure}
          </p>
        )}
        <button type="submit" className="primary" disabled={busy}>
          {busy ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
    </main>
  )
}
