/** Made by scripts/generate-types from the server's own types; do not edit. */

/** Input was taken; `repeated` says that it had been typed before and was not typed again. */
export interface Accepted {
  accepted: boolean
  repeated: boolean
}

export interface AgentList {
  agents: AgentView[]
  next_cursor: string | null
  total: number
}

/** What a structured agent is started with; a driver refuses what its CLI does not have. */
export interface AgentOptions {
  model?: string | null
  fallback_model?: string | null
  permission_mode?: string | null
  dangerously_skip_permissions?: boolean
  allowed_tools?: string[]
  disallowed_tools?: string[]
  append_system_prompt?: string | null
  mcp_config?: string | Record<string, unknown> | null
  strict_mcp_config?: boolean
  add_dirs?: string[]
  partial?: boolean
  max_turns?: number | null
  max_budget_usd?: number | null
  resume?: string | null
  fork?: boolean
}

/** An agent as it stands. Times are RFC 3339 in UTC. */
export interface AgentView {
  name: string
  state: 'exited' | 'failed' | 'idle' | 'lost' | 'paused' | 'running' | 'starting' | 'stopping' | 'waiting'
  reason: string | null
  session_id: string
  driver: string
  command: string[]
  cwd: string
  node: string
  environment: string | null
  env_names: string[]
  labels: Record<string, string>
  role: string | null
  model: string | null
  capabilities: string[]
  restart: string
  restarts: number
  limits: Limits
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
  processes: number | null
  bytes: number
  lines: number
  last_output_at: string | null
  last_seq: number
  viewers: number
  conversation: ConversationView | null
  attention: string | null
  attention_kind: 'done' | 'failed' | 'idle' | 'looping' | 'paused' | 'stuck' | 'waits' | 'works'
  attention_since: string | null
  doing: string | null
  urgency: number
}

export type AnyEvent =
  | LogEvent
  | StateChangeEvent
  | CompleteEvent
  | ErrorEvent
  | ScreenShownEvent
  | MarkEvent
  | ConversationEvent
  | TurnEvent
  | OutputEvent
  | ThinkingEvent
  | ToolCallEvent
  | ToolResultEvent
  | FileChangeEvent
  | ProgressEvent
  | PermissionEvent
  | UsageEvent
  | NoticeEvent
  | UnknownEvent

export interface ApprovalList {
  approvals: ApprovalView[]
  next_cursor: string | null
  total: number
}

/** One remembered answer; `created_at` is RFC 3339 in UTC. */
export interface ApprovalRule {
  rule_id: string
  project: string
  driver: string
  tool: string
  subject: string
  decision: 'allow' | 'deny'
  by: string
  created_at: string
}

/** What an agent asks, and what was decided; `choices` are those of the `permission` event. */
export interface ApprovalView {
  approval_id: string
  agent_name: string
  session_id: string
  kind: string
  tool: string
  input: Record<string, unknown>
  title: string
  choices: Record<string, unknown>[]
  asked_at: string
  tool_use_id: string | null
  details: Record<string, unknown>
  decision: string | null
  by: string | null
  reason: string | null
  decided_at: string | null
}

/** What an agent is about, since when, and how that is known. */
export interface AttentionView {
  agent_name: string
  session_id: string
  state: 'exited' | 'failed' | 'idle' | 'lost' | 'paused' | 'running' | 'starting' | 'stopping' | 'waiting'
  kind: 'done' | 'failed' | 'idle' | 'looping' | 'paused' | 'stuck' | 'waits' | 'works'
  wants: string | null
  since: string | null
  needs_you: boolean
  summary: string
  evidence: string[]
  source: string
  advice: string
}

/** Whom the server takes a caller for. */
export interface CallerView {
  name: string
  role: 'reporter' | 'viewer' | 'operator' | 'admin'
}

/** A file that a turn changed; `added` and `removed` count lines. */
export interface ChangedFile {
  path: string
  change: string
  added: number
  removed: number
}

/** The session is over; `exit_code` is null when a signal ended it or nobody saw how it ended. */
export interface CompleteEvent {
  type: 'complete'
  timestamp: string
  agent_name: string
  session_id: string
  data: {
    exit_code: number | null
    signal: string | null
    duration_ms: number
    reason: string | null
  }
}

export interface ComponentHealth {
  status: string
  message: string
  details: Record<string, unknown>
}

/** What an agent said of the conversation it is in: at its start, and whenever that changed. */
export interface ConversationEvent {
  type: 'conversation'
  timestamp: string
  agent_name: string
  session_id: string
  data: {
    conversation_id: string | null
    model: string | null
    mode: string | null
    details: Record<string, unknown>
    source: 'hook' | 'protocol' | 'screen' | 'telemetry' | 'transcript' | 'watcher'
  }
}

/** What a structured agent's conversation is at. */
export interface ConversationView {
  conversation_id: string | null
  ready: boolean
  model: string | null
  mode: string | null
  running: RunningTurn | null
  queue: RunningTurn[]
  approvals: number
  calls: string[]
  turns: number
  problem: string | null
  input_tokens: number
  output_tokens: number
  cache_read_tokens: number
  cache_write_tokens: number
  cost_usd: number | null
}

/** What to answer an agent that asks. */
export interface DecisionBody {
  decision: 'allow' | 'deny'
  choice?: string | null
  reason?: string | null
  input?: Record<string, unknown> | null
  answers?: Record<string, string> | null
  remember?: boolean
  interrupt?: boolean
}

export interface ErrorBody {
  code: string
  message: string
  details: Record<string, unknown>
  request_id: string
}

/** Something went wrong in the session or in reading it, such as a damaged stretch of the recording. */
export interface ErrorEvent {
  type: 'error'
  timestamp: string
  agent_name: string
  session_id: string
  data: {
    code: string
    message: string
    details: Record<string, unknown>
  }
}

export interface ErrorView {
  error: ErrorBody
}

/** A file is another; `added` and `removed` count lines, `bytes` is its size now. */
export interface FileChangeEvent {
  type: 'file_change'
  timestamp: string
  agent_name: string
  session_id: string
  data: {
    path: string
    change: 'created' | 'deleted' | 'modified' | 'renamed'
    bytes: number | null
    added: number | null
    removed: number | null
    tool_use_id: string | null
    renamed_from: string | null
    source: 'hook' | 'protocol' | 'screen' | 'telemetry' | 'transcript' | 'watcher'
  }
}

export interface HealthView {
  status: string
  live: boolean
  ready: boolean
  version: string
  uptime_s: number
  node: string
  components: Record<string, ComponentHealth>
  issues: Issue[]
}

/** A picture; `data` is base64. */
export interface ImageBody {
  media_type: 'image/gif' | 'image/jpeg' | 'image/png' | 'image/webp'
  data: string
}

/** The body of `POST /api/agents/{name}/input`: exactly one of the ways to type. */
export interface InputBody {
  input?: string | null
  input_base64?: string | null
  keys?: string[] | null
  paste?: string | null
  paste_base64?: string | null
  enter?: boolean
  client_id?: string | null
  seq?: number | null
}

/** Something that health found: what, on what evidence, and what to do about it. */
export interface Issue {
  code: string
  severity: string
  message: string
  advice: string
  details: Record<string, unknown>
}

/** What an agent's processes may use at most; absent means no limit of ours. */
export interface Limits {
  memory_bytes?: number | null
  cpu_s?: number | null
  nofile?: number | null
  fsize_bytes?: number | null
  nproc?: number | null
  processes?: number | null
  core_bytes?: number | null
}

/** Whether the server lives, or is ready, in a word. */
export interface Liveness {
  status: string
}

/** A clean line of output; `line_num` counts from 1 in its stream. */
export interface LogEvent {
  type: 'log'
  timestamp: string
  agent_name: string
  session_id: string
  data: {
    line: string
    line_num: number
    stream: 'stderr' | 'stdout'
  }
}

/** A line; of a coding agent's transcript several may have one `seq`, and `line_num` counts within that. */
export interface LogLine {
  seq: number
  timestamp: string
  stream: string
  line_num: number
  line: string
}

export interface LogPage {
  agent_name: string
  session_id: string
  lines: LogLine[]
  next_cursor: string | null
}

/** The body of `POST /api/login`. */
export interface LoginBody {
  token: string
}

/** A mark that somebody made on the session. */
export interface MarkEvent {
  type: 'mark'
  timestamp: string
  agent_name: string
  session_id: string
  data: {
    name: string
    data: Record<string, unknown>
  }
}

/** A metric, with a sample for each of its labels' values. */
export interface MetricFamily {
  name: string
  type: string
  help: string
  samples: Sample[]
}

export interface MetricsView {
  metrics: MetricFamily[]
}

/** Something worth knowing that is no error, such as `API_RETRY`, `MODEL_FALLBACK`, `COMPACTED`. */
export interface NoticeEvent {
  type: 'notice'
  timestamp: string
  agent_name: string
  session_id: string
  data: {
    code: string
    message: string
    details: Record<string, unknown>
    source: 'hook' | 'protocol' | 'screen' | 'telemetry' | 'transcript' | 'watcher'
  }
}

/** Text that an agent said; `partial` pieces of a message come before the whole of it. */
export interface OutputEvent {
  type: 'output'
  timestamp: string
  agent_name: string
  session_id: string
  data: {
    text: string
    message_id: string
    partial: boolean
    parent_tool_use_id: string | null
    source: 'hook' | 'protocol' | 'screen' | 'telemetry' | 'transcript' | 'watcher'
  }
}

/** An agent asks and waits, and later, with `decision`, the same once more: what became of it. */
export interface PermissionEvent {
  type: 'permission'
  timestamp: string
  agent_name: string
  session_id: string
  data: {
    approval_id: string
    tool: string
    input: Record<string, unknown>
    title: string
    choices: Record<string, unknown>[]
    kind: string
    tool_use_id: string | null
    decision: string | null
    by: string | null
    reason: string | null
    details: Record<string, unknown>
    source: 'hook' | 'protocol' | 'screen' | 'telemetry' | 'transcript' | 'watcher'
  }
}

/** An agent's own plan or to-do list; each item has `text` and `state`: `pending`, `active` or `done`. */
export interface ProgressEvent {
  type: 'progress'
  timestamp: string
  agent_name: string
  session_id: string
  data: {
    done: number
    total: number
    current: string | null
    items: Record<string, unknown>[]
    turn: string | null
    source: 'hook' | 'protocol' | 'screen' | 'telemetry' | 'transcript' | 'watcher'
  }
}

/** A prompt for a structured agent. */
export interface PromptBody {
  prompt: string
  turn_id?: string | null
  policy?: 'interrupt' | 'queue' | 'steer'
  images?: ImageBody[]
  options?: Record<string, string>
}

/** The body of `POST /api/agents/{name}/resize`, in character cells. */
export interface ResizeBody {
  cols?: number
  rows?: number
}

export interface RuleList {
  rules: ApprovalRule[]
}

/** Cells of one row that look alike; a colour is a palette index, `#rrggbb`, or absent for the default. */
export interface Run {
  text: string
  fg?: number | string | null
  bg?: number | string | null
  bold?: boolean
  faint?: boolean
  italic?: boolean
  underline?: number
  blink?: boolean
  inverse?: boolean
  invisible?: boolean
  strike?: boolean
}

/** A turn that has not ended. */
export interface RunningTurn {
  turn_id: string
  state: string
  prompt: string
  by: string
  queued_at: string
}

export interface Sample {
  name: string
  labels: Record<string, string>
  value: number | null
}

/** What a full-screen program shows once it has come to rest: the rows, right-trimmed, joined by line feeds. */
export interface ScreenShownEvent {
  type: 'screen'
  timestamp: string
  agent_name: string
  session_id: string
  data: {
    text: string
    cols: number
    rows: number
    title: string
  }
}

/** A terminal's screen; `rows_text` are the visible rows, right-trimmed. */
export interface ScreenView {
  agent_name: string
  session_id: string
  cols: number
  rows: number
  title: string
  cursor_col: number
  cursor_row: number
  cursor_visible: boolean
  alternate: boolean
  rows_text: string[]
  cells: Run[][]
}

/** The body of `POST /api/agents/{name}/signal`. */
export interface SignalBody {
  signal: string
  scope?: 'foreground' | 'leader' | 'tree'
}

/** A terminal's size in character cells. */
export interface Size {
  cols?: number
  rows?: number
}

/** The body of `POST /api/agents`. */
export interface StartAgent {
  name: string
  command: string | string[]
  args?: string[]
  driver?: 'acp' | 'adopted' | 'claude' | 'codex' | 'gemini' | 'lines' | 'opencode' | 'terminal'
  options?: AgentOptions
  cwd?: string | null
  env?: Record<string, string> | string
  labels?: Record<string, string>
  role?: string | null
  model?: string | null
  capabilities?: string[]
  restart?: 'always' | 'no' | 'on-failure'
  limits?: Limits
  size?: Size
  umask?: number | null
  placement?: Record<string, unknown> | null
  worktree?: boolean | Record<string, unknown> | null
  session_id?: string | null
}

/** The session's state is another. */
export interface StateChangeEvent {
  type: 'state'
  timestamp: string
  agent_name: string
  session_id: string
  data: {
    state: string
    previous: string | null
    reason: string | null
  }
}

export interface StreamStats {
  total_agents: number
  total_clients: number
  agents: Record<string, number>
}

/** What an agent showed of its reasoning. */
export interface ThinkingEvent {
  type: 'thinking'
  timestamp: string
  agent_name: string
  session_id: string
  data: {
    text: string
    message_id: string
    partial: boolean
    parent_tool_use_id: string | null
    source: 'hook' | 'protocol' | 'screen' | 'telemetry' | 'transcript' | 'watcher'
  }
}

/** A one-time pass for a client that can send no header. */
export interface Ticket {
  ticket: string
  expires_in_s: number
}

/** An agent calls a tool; `title` says so in one readable line, `parent_tool_use_id` is the sub-agent's call. */
export interface ToolCallEvent {
  type: 'tool_call'
  timestamp: string
  agent_name: string
  session_id: string
  data: {
    tool_use_id: string
    tool: string
    input: Record<string, unknown>
    title: string
    path: string | null
    parent_tool_use_id: string | null
    source: 'hook' | 'protocol' | 'screen' | 'telemetry' | 'transcript' | 'watcher'
  }
}

/** What a tool gave back; `duration_ms` counts from the call. */
export interface ToolResultEvent {
  type: 'tool_result'
  timestamp: string
  agent_name: string
  session_id: string
  data: {
    tool_use_id: string
    tool: string
    content: string
    is_error: boolean
    duration_ms: number | null
    parent_tool_use_id: string | null
    details: Record<string, unknown>
    source: 'hook' | 'protocol' | 'screen' | 'telemetry' | 'transcript' | 'watcher'
  }
}

/** Something that went wrong in a turn. */
export interface TurnError {
  code: string
  message: string
}

/** A prompt on its way to its result. */
export interface TurnEvent {
  type: 'turn'
  timestamp: string
  agent_name: string
  session_id: string
  data: {
    turn_id: string
    state:
      | 'cancelled'
      | 'completed'
      | 'failed'
      | 'interrupted'
      | 'queued'
      | 'refused'
      | 'sent'
      | 'started'
      | 'steered'
    prompt: string | null
    by: string | null
    text: string | null
    reason: string | null
    duration_ms: number | null
    details: Record<string, unknown>
    source: 'hook' | 'protocol' | 'screen' | 'telemetry' | 'transcript' | 'watcher'
  }
}

export interface TurnList {
  turns: TurnView[]
}

/** What a turn spent with one model. */
export interface TurnUsage {
  model: string
  input_tokens: number
  output_tokens: number
  cache_read_tokens: number
  cache_write_tokens: number
  cost_usd: number | null
}

/** A turn and, once it has `ended`, its result. Times are RFC 3339 in UTC. */
export interface TurnView {
  turn_id: string
  agent_name: string
  session_id: string
  state: string
  ended: boolean
  prompt: string | null
  by: string | null
  text: string | null
  reason: string | null
  duration_ms: number | null
  queued_at: string | null
  started_at: string | null
  ended_at: string | null
  usage: TurnUsage[]
  cost_usd: number | null
  files: ChangedFile[]
  errors: TurnError[]
  repeated: boolean
}

/** A line that no driver understands, as it was. */
export interface UnknownEvent {
  type: 'unknown'
  timestamp: string
  agent_name: string
  session_id: string
  data: {
    line: string
    reason: string
    source: 'hook' | 'protocol' | 'screen' | 'telemetry' | 'transcript' | 'watcher'
  }
}

/** Tokens and money spent since the last of these events of the same model; never cumulative but for the total. */
export interface UsageEvent {
  type: 'usage'
  timestamp: string
  agent_name: string
  session_id: string
  data: {
    model: string
    input_tokens: number
    output_tokens: number
    cache_read_tokens: number
    cache_write_tokens: number
    cost_usd: number | null
    total_cost_usd: number | null
    turn_id: string | null
    source: 'hook' | 'protocol' | 'screen' | 'telemetry' | 'transcript' | 'watcher'
  }
}

/** What was spent; of the keys those are given that were asked for. A day is one of UTC. */
export interface UsageSum {
  input_tokens: number
  output_tokens: number
  cache_read_tokens: number
  cache_write_tokens: number
  cost_usd: number | null
  unpriced_tokens: number
  day?: string | null
  agent?: string | null
  session?: string | null
  model?: string | null
  turn?: string | null
}

export interface UsageView {
  usage: UsageSum[]
  total: UsageSum
}
