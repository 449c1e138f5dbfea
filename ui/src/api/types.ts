/** What the page uses of what the server says; `schema.ts` is made from the server's own types. Times are RFC 3339 in UTC. */

import type * as server from './schema'

export type {
  ApprovalView,
  CallerView,
  DecisionBody,
  ErrorView,
  PromptBody,
  StartAgent,
  TurnView,
} from './schema'

export type AgentState = server.AgentView['state']

/** What the page uses of an agent; the server sends more. */
export type AgentView = Pick<
  server.AgentView,
  | 'name'
  | 'state'
  | 'reason'
  | 'session_id'
  | 'driver'
  | 'command'
  | 'cwd'
  | 'node'
  | 'pid'
  | 'terminal'
  | 'cols'
  | 'rows'
  | 'started_at'
  | 'ended_at'
  | 'uptime_s'
  | 'exit_code'
  | 'signal'
  | 'cpu_percent'
  | 'memory_bytes'
  | 'last_output_at'
  | 'viewers'
  | 'attention'
  | 'attention_kind'
  | 'attention_since'
  | 'doing'
  | 'urgency'
  | 'conversation'
>

export type AgentList = Omit<server.AgentList, 'agents'> & { agents: AgentView[] }

/** One of the answers that an approval offers. */
export interface Choice {
  id: string
  label: string
  kind: string
  question?: string
  description?: string
  several?: boolean
}

export const STRUCTURED = ['claude', 'codex', 'gemini', 'opencode', 'acp'] as const
