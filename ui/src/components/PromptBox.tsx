import { type FormEvent, type KeyboardEvent, useRef, useState } from 'react'
import { ApiError, interruptAgent, promptAgent } from '../api/client'
import type { AgentView, PromptBody } from '../api/types'

type Policy = NonNullable<PromptBody['policy']>

const POLICIES: Record<Policy, string> = {
  queue: 'after this turn',
  steer: 'into this turn',
  interrupt: 'instead of this turn',
}

/** Where prompts are written: Enter sends, Shift+Enter begins a line. */
export function PromptBox({ agent, busy }: { agent: AgentView; busy: boolean }) {
  const [text, setText] = useState('')
  const [policy, setPolicy] = useState<Policy>('queue')
  const [failure, setFailure] = useState<ApiError | null>(null)
  const [interrupting, setInterrupting] = useState(false)
  const sending = useRef(false)

  const attempt = async (act: () => Promise<unknown>) => {
    setFailure(null)
    try {
      await act()
      return true
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      setFailure(error)
      return false
    }
  }
  const submit = async (event?: FormEvent) => {
    event?.preventDefault()
    const prompt = text.trim()
    if (prompt === '' || sending.current) return
    sending.current = true
    setText('')
    // One id for this prompt: if the answer is lost, sending it again prompts once.
    const turn_id = `page-${crypto.randomUUID?.() ?? String(Math.random()).slice(2)}`
    const sent = await attempt(() =>
      promptAgent(agent.name, { prompt, turn_id, ...(busy ? { policy } : {}) }),
    )
    sending.current = false
    if (!sent) setText((now) => now || prompt)
  }
  const interrupt = async () => {
    setInterrupting(true)
    await attempt(() => interruptAgent(agent.name))
    setInterrupting(false)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    void submit()
  }
  return (
    <form className="promptbox" onSubmit={submit}>
      <textarea
        aria-label={`A prompt for ${agent.name}`}
        placeholder="Ask for something. Enter sends, Shift+Enter begins a new line."
        rows={Math.min(8, Math.max(2, text.split('\n').length))}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <div className="promptrow">
        {busy && (
          <>
            <button type="button" onClick={interrupt} disabled={interrupting}>
              {interrupting ? 'Interrupting…' : 'Interrupt'}
            </button>
            <label>
              <span>Send</span>
              <select value={policy} onChange={(event) => setPolicy(event.target.value as Policy)}>
                {Object.entries(POLICIES).map(([value, words]) => (
                  <option key={value} value={value}>
                    {words}
                  </option>
                ))}
              </select>
            </label>
          </>
        )}
        <button type="submit" className="primary" disabled={text.trim() === ''}>
          Send
        </button>
      </div>
      {failure && (
        <p role="alert" className="failure">
          {failure.message} {failure.hint}
        </p>
      )}
    </form>
  )
}
