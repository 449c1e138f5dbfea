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

interface EventOf<Type extends string, Data> {
  type: Type
  timestamp: string
  agent_name: string
  session_id: string
  data: Data
}

export type LogEvent = EventOf<'log', { line: string; line_num: number; stream: 'stdout' | 'stderr' }>
export type StateEvent = EventOf<
  'state',
  { state: AgentState; previous: AgentState | null; reason: string | null }
>
export type CompleteEvent = EventOf<
  'complete',
  { exit_code: number | null; signal: string | null; duration_ms: number; reason?: string | null }
>
export type ErrorEvent = EventOf<'error', { code: string; message: string; details: Record<string, unknown> }>
export type ScreenEvent = EventOf<'screen', { text: string; cols: number; rows: number; title: string }>

/** Somebody whose terminal or page is attached to an agent. */
export interface Viewer {
  id: string
  name: string
  since: string
}

interface FrameOf<Type extends string, Data> {
  type: Type
  agent: string
  data: Data
}

/** Text frames of `/ws/agents/NAME?output=raw`; binary frames are the terminal's bytes. */
export type AttachFrame =
  | FrameOf<
      'attached',
      {
        session_id: string
        cols: number
        rows: number
        viewers: Viewer[]
        you: string
        owner: string | null
        state: AgentState
      }
    >
  | FrameOf<'viewers', { viewers: Viewer[]; owner: string | null }>
  | FrameOf<'size', { cols: number; rows: number }>
  | FrameOf<'status', { state: AgentState; reason?: string | null }>
  | FrameOf<'skipped', { bytes: number }>
  | FrameOf<'complete', { exit_code: number | null; signal: string | null; duration_ms: number }>
  | { type: 'response'; command: string; success: boolean; data: unknown; request_id?: string }
  | { type: 'error'; code: string; message: string; request_id?: string }
