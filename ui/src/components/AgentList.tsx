import { type KeyboardEvent, type MouseEvent, memo } from 'react'
import type { AgentView } from '../api/types'
import { commandLine, ending, percent } from '../lib/format'
import { formatPlace } from '../state/address'
import { type Group, isEnded } from '../state/agents'
import { openAgent } from '../state/place'
import { Age, Figure, LastOutput } from './Figures'
import { StateMark } from './StateMark'

interface Props {
  groups: Group[]
  chosen: string | null
  filter: string
}

export function AgentList({ groups, chosen, filter }: Props) {
  return (
    <nav aria-label="Agents" className="agents" onKeyDown={walk}>
      <div className="columns" aria-hidden="true">
        <span>Agent</span>
        <span>State</span>
        <span>Last output</span>
        <span>CPU</span>
        <span>Age</span>
        <span>Ended with</span>
      </div>
      {groups.map((group) => (
        <section key={group.title} aria-label={group.title}>
          <h2>
            {group.title} <span className="count">{group.agents.length}</span>
          </h2>
          <ul>
            {group.agents.map((agent) => (
              <li key={agent.name}>
                <Row agent={agent} chosen={agent.name === chosen} filter={filter} />
              </li>
            ))}
          </ul>
        </section>
      ))}
    </nav>
  )
}

const Row = memo(function Row({
  agent,
  chosen,
  filter,
}: {
  agent: AgentView
  chosen: boolean
  filter: string
}) {
  const open = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return
    event.preventDefault()
    openAgent(agent.name)
  }
  return (
    <a
      href={formatPlace({ agent: agent.name, filter, approvals: false })}
      className="agent"
      aria-current={chosen ? 'page' : undefined}
      onClick={open}
    >
      <span className="who">
        <span className="name">{agent.name}</span>
        <span className="what">{agent.attention ?? agent.doing ?? commandLine(agent.command)}</span>
      </span>
      <StateMark state={agent.state} />
      <Figure label="Last output" className="last">
        <LastOutput at={agent.last_output_at} />
      </Figure>
      <Figure label="CPU" className="cpu">
        {isEnded(agent.state) ? '–' : percent(agent.cpu_percent)}
      </Figure>
      <Figure label="Age" className="age">
        <Age agent={agent} />
      </Figure>
      <Figure label="Ended with" className="end">
        {isEnded(agent.state) ? ending(agent.exit_code, agent.signal) : '–'}
      </Figure>
    </a>
  )
})

const STEPS: Record<string, number> = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }

/** Arrows, or j and k, go from agent to agent. */
function walk(event: KeyboardEvent<HTMLElement>): void {
  const step = STEPS[event.key]
  if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return
  const links = [...event.currentTarget.querySelectorAll<HTMLAnchorElement>('a.agent')]
  const next = links[links.indexOf(document.activeElement as HTMLAnchorElement) + step]
  if (next === undefined) return
  event.preventDefault()
  next.focus()
}
