import { useState } from 'react'
import { type Act, ApiError, actOn, stopAgent } from '../api/client'
import type { AgentView } from '../api/types'
import { isEnded } from '../state/agents'
import { refresh } from '../state/fleet'
import { Confirm } from './Confirm'

type Deed = Act | 'stop'

const DOING: Record<Deed, string> = {
  stop: 'Stopping…',
  kill: 'Killing…',
  pause: 'Pausing…',
  resume: 'Resuming…',
  restart: 'Starting…',
}

/** What can be done with an agent, as its state allows. */
export function Controls({ agent }: { agent: AgentView }) {
  const [doing, setDoing] = useState<Deed | null>(null)
  const [asking, setAsking] = useState(false)
  const [failure, setFailure] = useState<ApiError | null>(null)

  const perform = async (deed: Deed) => {
    setDoing(deed)
    setFailure(null)
    try {
      await (deed === 'stop' ? stopAgent(agent.name) : actOn(agent.name, deed))
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      setFailure(error)
    }
    await refresh()
    setDoing(null)
  }

  const button = (deed: Deed, label: string, className = '') => (
    <button
      type="button"
      className={className}
      disabled={doing !== null && deed !== 'kill'}
      onClick={() => perform(deed)}
    >
      {doing === deed ? DOING[deed] : label}
    </button>
  )

  return (
    <div className="controls">
      {isEnded(agent.state) ? (
        button('restart', 'Start again', 'primary')
      ) : (
        <>
          {agent.state === 'paused' ? button('resume', 'Resume') : button('pause', 'Pause')}
          {button('restart', 'Restart')}
          {button('stop', 'Stop')}
          <button type="button" className="danger" onClick={() => setAsking(true)}>
            {doing === 'kill' ? DOING.kill : 'Kill'}
          </button>
        </>
      )}
      {failure && (
        <p role="alert" className="failure">
          {failure.message} {failure.hint}
        </p>
      )}
      {asking && (
        <Confirm
          question={`Kill ${agent.name}?`}
          consequence="Its processes end at once and can save nothing. Stop lets them finish first."
          verb="Kill"
          onAnswer={(yes) => {
            setAsking(false)
            if (yes) void perform('kill')
          }}
        />
      )}
    </div>
  )
}
