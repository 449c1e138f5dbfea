import { type FormEvent, useEffect, useRef, useState } from 'react'
import { ApiError, startAgent } from '../api/client'
import type { StartAgent } from '../api/types'
import { refresh } from '../state/fleet'
import { openAgent } from '../state/place'

type Driver = NonNullable<StartAgent['driver']>

const DRIVERS: [Driver, string][] = [
  ['terminal', 'a terminal'],
  ['lines', 'lines of output'],
  ['claude', 'a conversation with Claude Code'],
  ['codex', 'a conversation with Codex'],
  ['gemini', 'a conversation with Gemini CLI'],
  ['opencode', 'a conversation with opencode'],
  ['acp', 'a conversation in the Agent Client Protocol'],
]

/** The form that starts an agent. */
export function StartDialog({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const [failure, setFailure] = useState<ApiError | null>(null)
  const [busy, setBusy] = useState(false)

  useEffect(() => dialog.current?.showModal(), [])

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const text = (field: string) => String(form.get(field) ?? '').trim()
    const cwd = text('cwd')
    setBusy(true)
    setFailure(null)
    try {
      const agent = await startAgent({
        name: text('name'),
        command: text('command'),
        driver: text('driver') as Driver,
        ...(cwd ? { cwd } : {}),
      })
      await refresh()
      openAgent(agent.name)
      onClose()
    } catch (error) {
      setBusy(false)
      if (!(error instanceof ApiError)) throw error
      setFailure(error)
    }
  }

  return (
    <dialog ref={dialog} aria-labelledby="start-title" onClose={onClose}>
      <form onSubmit={submit}>
        <h2 id="start-title">Start an agent</h2>
        <label>
          Name
          <input
            name="name"
            required
            maxLength={64}
            pattern="[A-Za-z0-9][A-Za-z0-9._\-]*"
            title="Letters, digits, dots, dashes and underscores; the first is a letter or digit."
            autoComplete="off"
            spellCheck={false}
            placeholder="worker-1"
          />
        </label>
        <label>
          Command
          <input
            name="command"
            required
            autoComplete="off"
            spellCheck={false}
            placeholder="claude"
            className="mono"
          />
        </label>
        <label>
          Shown as
          <select name="driver">
            {DRIVERS.map(([driver, words]) => (
              <option key={driver} value={driver}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <label>
          Directory (optional)
          <input
            name="cwd"
            autoComplete="off"
            spellCheck={false}
            placeholder="/home/me/project"
            className="mono"
          />
        </label>
        {failure && (
          <p role="alert" className="failure">
            {failure.message} {failure.hint}
          </p>
        )}
        <div className="row end">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" className="primary" disabled={busy}>
            {busy ? 'Starting…' : 'Start'}
          </button>
        </div>
      </form>
    </dialog>
  )
}
