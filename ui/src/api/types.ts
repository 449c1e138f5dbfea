/** What the server says, in the shapes of its JSON Schema. Times are RFC 3339 in UTC. */

export type AgentState =
  | 'starting'
  | 'running'
  | 'waiting'
  | 'idle'
  | 'paused'
  | 'stopping'
  | 'exited'
  | 'failed'
  | 'lost'

/** What the page uses of an agent; the server sends more. */
export interface AgentView {
  name: string
  state: AgentState
  reason: string | null
  session_id: string
  driver: string
  command: string[]
  cwd: string
  node: string
  pid: number | null
  terminal: boolean
  cols: number
  rows: number
  started_at: string
  ended_at: string | null
  uptime_s: number
  exit_code: number | null
  signal: string | null
  cpu_percent: number | null
  memory_bytes: number | null
  last_output_at: string | null
  viewers: number
  attention: string | null
}

export interface AgentList {
  agents: AgentView[]
  next_cursor: string | null
  total: number
}

export interface StartAgent {
  name: string
  command: string | string[]
  driver?: 'terminal' | 'lines'
  cwd?: string
}

export interface CallerView {
  name: string
  role: 'viewer' | 'operator' | 'admin'
}

export interface ErrorView {
  error: { code: string; message: string; details: Record<string, unknown>; request_id: string }
}
