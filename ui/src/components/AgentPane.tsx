import { Component, lazy, type ReactNode, Suspense } from 'react'
import { type AgentView, STRUCTURED } from '../api/types'
import { bytes, commandLine, dollars, ending, percent } from '../lib/format'
import { isEnded } from '../state/agents'
import type { Asks } from '../state/asks'
import { openAgent } from '../state/place'
import { Controls } from './Controls'
import { Age, Figure, LastOutput } from './Figures'
import { LogPane } from './LogPane'
import { StateMark } from './StateMark'

const TerminalPane = lazy(() => import('./TerminalPane'))
const ConversationPane = lazy(() => import('./ConversationPane'))

interface Props {
  agent: AgentView
  asks: Asks
  maySteer: boolean
}

/** One agent: how it is, what can be done, and its live output. */
export function AgentPane({ agent, asks, maySteer }: Props) {
  const ended = isEnded(agent.state)
  return (
    <main className="pane">
      <header className="panehead">
        <button type="button" className="back quiet" onClick={() => openAgent(null)}>
          ‹ Agents
        </button>
        <h1>{agent.name}</h1>
        <StateMark state={agent.state} />
        {maySteer ? <Controls agent={agent} /> : <span className="controls">You may look, not steer</span>}
        <p className="about">
          {(agent.attention ?? agent.reason) && (
            <span className="why">{agent.attention ?? agent.reason}</span>
          )}
          {ended && <Figure label="Ended with">{ending(agent.exit_code, agent.signal)}</Figure>}
          <Figure label={ended ? 'Ran' : 'Running for'}>
            <Age agent={agent} />
          </Figure>
          {!ended && <Figure label="CPU">{percent(agent.cpu_percent)}</Figure>}
          {!ended && <Figure label="Memory">{bytes(agent.memory_bytes)}</Figure>}
          <Figure label="Last output">
            <LastOutput at={agent.last_output_at} />
          </Figure>
          <Spent agent={agent} />
          <span className="mono command" title={commandLine(agent.command)}>
            {commandLine(agent.command)}
          </span>
          <span className="mono cwd">{agent.cwd}</span>
        </p>
      </header>
      <Output agent={agent} asks={asks} maySteer={maySteer} />
    </main>
  )
}

/** What the agent says, in the form that its driver has for it. */
function Output({ agent, asks, maySteer }: Props) {
  if (isStructured(agent)) {
    return (
      <Reloadable>
        <Suspense fallback={<p className="empty">Loading the conversation…</p>}>
          <ConversationPane key={agent.session_id} agent={agent} asks={asks} mayPrompt={maySteer} />
        </Suspense>
      </Reloadable>
    )
  }
  if (!agent.terminal) return <LogPane key={agent.session_id} agent={agent} mayType={maySteer} />
  return (
    <Reloadable>
      <Suspense fallback={<p className="stage cover">Loading the terminal…</p>}>
        <TerminalPane key={agent.name} agent={agent} mayType={maySteer} />
      </Suspense>
    </Reloadable>
  )
}

const isStructured = (agent: AgentView): boolean => (STRUCTURED as readonly string[]).includes(agent.driver)

function Spent({ agent: { conversation } }: { agent: AgentView }) {
  if (!conversation) return null
  const tokens = conversation.input_tokens + conversation.cache_read_tokens + conversation.cache_write_tokens
  return (
    <>
      {conversation.model && <Figure label="Model">{conversation.model}</Figure>}
      {conversation.mode && <Figure label="Mode">{conversation.mode}</Figure>}
      <Figure label="Tokens">
        {tokens.toLocaleString('en')} in, {conversation.output_tokens.toLocaleString('en')} out
      </Figure>
      {conversation.cost_usd !== null && <Figure label="Cost">{dollars(conversation.cost_usd)}</Figure>}
    </>
  )
}

/** A part of the page that could not be loaded, most likely because the server was updated since. */
class Reloadable extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false }

  static getDerivedStateFromError() {
    return { failed: true }
  }

  override render() {
    if (!this.state.failed) return this.props.children
    return (
      <p className="stage cover" role="alert">
        This part could not be loaded. The server may have been updated.{' '}
        <button type="button" onClick={() => location.reload()}>
          Reload the page
        </button>
      </p>
    )
  }
}
