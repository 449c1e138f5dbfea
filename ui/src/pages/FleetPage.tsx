import { useEffect, useMemo, useState } from 'react'
import { AgentList } from '../components/AgentList'
import { AgentPane } from '../components/AgentPane'
import { ApprovalsLink } from '../components/ApprovalsLink'
import { FilterBox } from '../components/FilterBox'
import { Inbox } from '../components/Inbox'
import { isBroken, LinkBadge } from '../components/LinkBadge'
import { StartDialog } from '../components/StartDialog'
import { grouped, waiting } from '../state/agents'
import { type Fleet, fleet } from '../state/fleet'
import { openAgent, usePlace } from '../state/place'
import { useStore } from '../state/store'

/** The list of agents, and beside it the chosen one. */
export function FleetPage() {
  const state = useStore(fleet)
  const { agent: chosen, filter, approvals } = usePlace()
  const [starting, setStarting] = useState(false)
  useTitle(approvals ? 'Approvals' : chosen, waiting(state.agents))
  return (
    <div
      className={['shell', chosen !== null && 'with-pane', isBroken(state) && 'stale']
        .filter(Boolean)
        .join(' ')}
    >
      <header className="top">
        <a
          className="brand"
          href="/"
          onClick={(event) => {
            event.preventDefault()
            openAgent(null)
          }}
        >
          roost
        </a>
        <LinkBadge {...state} />
        <ApprovalsLink count={state.asks.size} here={approvals} />
        {!approvals && <FilterBox filter={filter} />}
        {state.maySteer && (
          <button type="button" className="primary" onClick={() => setStarting(true)}>
            Start<span className="wide"> an agent</span>
          </button>
        )}
      </header>
      {approvals ? <Inbox {...state} /> : <Agents state={state} chosen={chosen} filter={filter} />}
      {starting && <StartDialog onClose={() => setStarting(false)} />}
    </div>
  )
}

/** The list, and beside it the chosen agent. */
function Agents({ state, chosen, filter }: { state: Fleet; chosen: string | null; filter: string }) {
  const groups = useMemo(() => grouped(state.agents.values(), filter), [state.agents, filter])
  const agent = chosen === null ? null : state.agents.get(chosen)
  return (
    <>
      {/* The same element with and without a pane, so that it keeps its place when one opens. */}
      <div className="side" role={chosen === null ? 'main' : undefined}>
        {chosen === null && <h1 className="unseen">Agents</h1>}
        {groups.length > 0 ? (
          <AgentList groups={groups} chosen={chosen} filter={filter} />
        ) : (
          <Nothing fleet={state} filter={filter} />
        )}
      </div>
      {agent ? (
        <AgentPane agent={agent} asks={state.asks} maySteer={state.maySteer} />
      ) : (
        chosen !== null && <Missing name={chosen} loaded={state.loaded} />
      )}
    </>
  )
}

function Nothing({ fleet: { loaded, trouble, agents }, filter }: { fleet: Fleet; filter: string }) {
  if (!loaded) return <p className="empty">{trouble ? trouble.message : 'Loading…'}</p>
  if (agents.size > 0) return <p className="empty">No agent matches “{filter}”.</p>
  return (
    <div className="empty">
      <h2>No agents yet</h2>
      <p>Start one in a terminal:</p>
      <pre>roost run demo -- bash</pre>
    </div>
  )
}

function Missing({ name, loaded }: { name: string; loaded: boolean }) {
  return (
    <main className="pane">
      <div className="empty">
        <h1>{loaded ? `No agent is called ${name}` : 'Loading…'}</h1>
        <button type="button" className="back-to-list" onClick={() => openAgent(null)}>
          Show all agents
        </button>
      </div>
    </main>
  )
}

function useTitle(chosen: string | null, needing: number): void {
  useEffect(() => {
    const name = chosen === null ? 'roost' : `${chosen} · roost`
    document.title = needing > 0 ? `(${needing}) ${name}` : name
  }, [chosen, needing])
}
