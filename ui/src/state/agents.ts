/** The list of agents: what it holds, how events change it, how it is grouped and filtered. Pure. */

import type { CompleteEvent, StateEvent } from '../api/frames'
import type { AgentState, AgentView } from '../api/types'

export type Agents = ReadonlyMap<string, AgentView>

export type FleetEvent = StateEvent | CompleteEvent

const ENDED: readonly AgentState[] = ['exited', 'failed', 'lost']

export const isEnded = (state: AgentState): boolean => ENDED.includes(state)

export function fromList(list: readonly AgentView[]): Agents {
  return new Map(list.map((agent) => [agent.name, agent]))
}

/** The agents after an event; null where the event is of a session that the list does not know yet. */
export function afterEvent(agents: Agents, event: FleetEvent): Agents | null {
  const agent = agents.get(event.agent_name)
  if (agent?.session_id !== event.session_id) return null
  return new Map(agents).set(
    agent.name,
    event.type === 'state' ? changed(agent, event) : completed(agent, event),
  )
}

function changed(agent: AgentView, { data, timestamp }: StateEvent): AgentView {
  const attention = data.state === 'waiting' ? (data.reason ?? agent.attention) : null
  const ended_at = isEnded(data.state) ? (agent.ended_at ?? timestamp) : null
  return { ...agent, state: data.state, reason: data.reason, attention, ended_at }
}

function completed(agent: AgentView, { data, timestamp }: CompleteEvent): AgentView {
  return {
    ...agent,
    exit_code: data.exit_code,
    signal: data.signal,
    ended_at: timestamp,
    uptime_s: data.duration_ms / 1000,
    cpu_percent: null,
    memory_bytes: null,
  }
}

export interface Group {
  title: 'Need you' | 'Failed' | 'Running' | 'Ended'
  agents: AgentView[]
}

/** The agents that match, in groups: first those that wait for somebody, then what failed. */
export function grouped(agents: Iterable<AgentView>, filter: string): Group[] {
  const groups: Group[] = [
    { title: 'Need you', agents: [] },
    { title: 'Failed', agents: [] },
    { title: 'Running', agents: [] },
    { title: 'Ended', agents: [] },
  ]
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  for (const agent of agents) {
    if (matches(agent, words)) groups[rank(agent)]?.agents.push(agent)
  }
  groups[1]?.agents.sort(newestEndFirst)
  groups[3]?.agents.sort(newestEndFirst)
  groups[0]?.agents.sort(mostUrgentFirst)
  groups[2]?.agents.sort(byName)
  return groups.filter((group) => group.agents.length > 0)
}

/** How many wait for somebody. */
export function waiting(agents: Agents): number {
  let count = 0
  for (const agent of agents.values()) if (needsSomebody(agent)) count += 1
  return count
}

export const needsSomebody = (agent: AgentView): boolean =>
  agent.state === 'waiting' || (agent.attention !== null && !isEnded(agent.state))

function rank(agent: AgentView): number {
  if (needsSomebody(agent)) return 0
  if (agent.state === 'failed' || agent.state === 'lost') return 1
  return agent.state === 'exited' ? 3 : 2
}

function matches(agent: AgentView, words: string[]): boolean {
  const text = [agent.name, agent.state, agent.cwd, agent.driver, ...agent.command].join(' ').toLowerCase()
  return words.every((word) => text.includes(word))
}

const names = new Intl.Collator('en', { numeric: true })
const byName = (one: AgentView, other: AgentView): number => names.compare(one.name, other.name)

const mostUrgentFirst = (one: AgentView, other: AgentView): number =>
  one.urgency - other.urgency || byName(one, other)

function newestEndFirst(one: AgentView, other: AgentView): number {
  return (other.ended_at ?? '').localeCompare(one.ended_at ?? '') || byName(one, other)
}
