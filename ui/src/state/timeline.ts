/** A conversation with a coding agent as what is seen of it, one thing below the other. Bounded. Pure. */

import type { ConversationEventOf, PermissionEvent, TurnEvent } from '../api/frames'

export type FileChange = { path: string; change: string; added: number | null; removed: number | null }

/** One thing in the conversation; `key` is its identity, `nested` what a sub-agent did. */
export type Item = { key: string; nested: boolean } & (
  | { kind: 'prompt'; turn: string; text: string; by: string | null; state: TurnEvent['data']['state'] }
  | { kind: 'said'; text: string; partial: boolean; message: string }
  | { kind: 'thought'; text: string; partial: boolean; message: string }
  | Call
  | { kind: 'file'; file: FileChange }
  | { kind: 'note'; text: string; tone: 'plain' | 'warn' | 'bad' }
  | { kind: 'end'; text: string; tone: 'ok' | 'warn' | 'bad'; cost: number | null; ms: number | null }
)

export interface Call {
  kind: 'call'
  id: string
  tool: string
  title: string
  input: Record<string, unknown>
  result: { text: string; failed: boolean; cut: boolean; ms: number | null } | null
  decided: { text: string; allowed: boolean } | null
  files: FileChange[]
}

export interface Plan {
  done: number
  total: number
  items: { text: string; state: string }[]
}

export interface Timeline {
  items: readonly Item[]
  /** Things that came, kept or not. */
  count: number
  plan: Plan | null
  /** The turn that runs. */
  running: string | null
  /** What the running turn has cost so far. */
  cost: number | null
  /** Prompts that wait for their turn. */
  waiting: readonly string[]
}

export const ITEMS_KEPT = 2000

export const emptyTimeline: Timeline = {
  items: [],
  count: 0,
  plan: null,
  running: null,
  cost: null,
  waiting: [],
}

/** The timeline after all events of one frame. */
export function afterEvents(timeline: Timeline, events: readonly ConversationEventOf[]): Timeline {
  const draft: Draft = { ...timeline, items: timeline.items.slice() }
  for (const event of events) take(draft, event)
  if (draft.items.length > ITEMS_KEPT * 1.25) draft.items = draft.items.slice(-ITEMS_KEPT)
  return draft
}

type Draft = Timeline & { items: Item[] }
type Body<Kind extends Item['kind']> = Extract<Item, { kind: Kind }>

function add(draft: Draft, item: Without<Item>): void {
  draft.count += 1
  draft.items.push({ ...item, key: String(draft.count) } as Item)
}

type Without<Each> = Each extends Item ? Omit<Each, 'key'> : never

type Takers = {
  [Type in ConversationEventOf['type']]?: (draft: Draft, data: DataOf<Type>) => void
}

const TAKERS: Takers = {
  turn: takeTurn,
  output: (draft, data) => takeText(draft, 'said', data),
  thinking: (draft, data) => takeText(draft, 'thought', data),
  tool_call: takeCall,
  tool_result: takeResult,
  file_change: takeFile,
  permission: takeDecision,
  usage: (draft, { cost_usd }) => {
    draft.cost = cost_usd == null ? draft.cost : (draft.cost ?? 0) + cost_usd
  },
  progress: (draft, data) => {
    draft.plan = { ...data, items: data.items.map(planned) }
  },
}

function take(draft: Draft, event: ConversationEventOf): void {
  const taker = TAKERS[event.type] as ((draft: Draft, data: unknown) => void) | undefined
  if (taker === undefined) takeNote(draft, event)
  else taker(draft, event.data)
}

const planned = (item: Record<string, unknown>) => ({
  text: String(item.text ?? ''),
  state: String(item.state ?? ''),
})

function takeTurn(draft: Draft, data: TurnEvent['data']): void {
  const { turn_id: turn, state } = data
  draft.waiting = draft.waiting.filter((one) => one !== turn)
  if (state === 'queued') {
    draft.waiting = [...draft.waiting, turn]
    add(draft, { kind: 'prompt', turn, text: data.prompt ?? '', by: data.by ?? null, state, nested: false })
    return
  }
  change(
    draft,
    'prompt',
    (item) => item.turn === turn,
    (item) => ({ ...item, state }),
  )
  if (state === 'started') {
    draft.running = turn
    draft.cost = null
  }
  if (data.duration_ms != null || state === 'refused' || state === 'cancelled') endTurn(draft, data)
}

const TONES: Record<string, 'ok' | 'warn' | 'bad'> = {
  completed: 'ok',
  interrupted: 'warn',
  cancelled: 'warn',
}

function endTurn(draft: Draft, { turn_id, state, reason, duration_ms }: TurnEvent['data']): void {
  const ran = draft.running === turn_id
  if (ran) draft.running = null
  add(draft, {
    kind: 'end',
    text: reason ? `${WORDS[state] ?? state}: ${reason}` : (WORDS[state] ?? state),
    tone: TONES[state] ?? 'bad',
    cost: ran ? draft.cost : null,
    ms: duration_ms ?? null,
    nested: false,
  })
}

const WORDS: Record<string, string> = {
  completed: 'Completed',
  failed: 'Failed',
  interrupted: 'Interrupted',
  refused: 'The prompt was refused',
  cancelled: 'The prompt was taken back',
}

interface Text {
  text: string
  message_id: string
  partial: boolean
  parent_tool_use_id?: string | null
}

/** Pieces of a message grow one item, which the whole of it replaces. */
function takeText(draft: Draft, kind: 'said' | 'thought', data: Text): void {
  const message = data.message_id
  const grows = (item: Body<'said' | 'thought'>) => item.partial && item.message === message
  const grown = change(draft, kind, grows, (item) => ({
    ...item,
    text: data.partial ? item.text + data.text : data.text,
    partial: data.partial,
  }))
  if (grown || data.text.trim() === '') return
  add(draft, { kind, text: data.text, partial: data.partial, message, nested: isNested(data) })
}

const isNested = (data: { parent_tool_use_id?: string | null }) => data.parent_tool_use_id != null

function takeCall(draft: Draft, data: DataOf<'tool_call'>): void {
  const { tool_use_id: id, tool, input } = data
  const known = change(
    draft,
    'call',
    (item) => item.id === id,
    (item) => ({
      ...item,
      title: data.title || item.title,
      input,
    }),
  )
  if (known) return
  const title = data.title || tool
  const call: Call = { kind: 'call', id, tool, title, input, result: null, decided: null, files: [] }
  add(draft, { ...call, nested: isNested(data) })
}

type DataOf<Type extends ConversationEventOf['type']> = Extract<ConversationEventOf, { type: Type }>['data']

function takeResult(draft: Draft, data: DataOf<'tool_result'>): void {
  // Claude Code says of a call that an interrupt ended that the user rejected it.
  const cut = data.details?.interrupted === true || data.details?.denied_as === 'user-rejected'
  const result = { text: data.content, failed: data.is_error, cut, ms: data.duration_ms ?? null }
  change(
    draft,
    'call',
    (item) => item.id === data.tool_use_id,
    (item) => ({ ...item, result }),
  )
}

function takeFile(draft: Draft, data: DataOf<'file_change'>): void {
  if (data.source === 'watcher' && isTold(draft, data.path)) return
  const file = {
    path: data.path,
    change: data.change,
    added: data.added ?? null,
    removed: data.removed ?? null,
  }
  const ofCall = (item: Body<'call'>) => item.id === data.tool_use_id
  const credited = change(draft, 'call', ofCall, (item) => ({ ...item, files: [...item.files, file] }))
  if (!credited) add(draft, { kind: 'file', file, nested: false })
}

/** Whether the agent itself told, since it was asked last, that it changed a file: then nobody else need tell. */
function isTold(draft: Draft, path: string): boolean {
  const asked = draft.items.findLastIndex((item) => item.kind === 'prompt')
  return draft.items.slice(asked + 1).some((item) => {
    if (item.kind === 'file') return item.file.path === path
    return item.kind === 'call' && item.files.some((file) => file.path === path)
  })
}

/** What was decided stands with the call that it was about. What is open is shown elsewhere. */
function takeDecision(draft: Draft, data: PermissionEvent['data']): void {
  if (data.decision == null) return
  const allowed = data.decision === 'allow'
  const word = allowed ? 'Allowed' : data.decision === 'deny' ? 'Denied' : 'No longer asked'
  const by = data.by ? ` by ${data.by}` : ''
  const edited = allowed && data.kind === 'tool' ? data.details?.input : null
  const instead = edited ? `, edited to ${JSON.stringify(edited)}` : ''
  const text = `${word}${by}${instead}${data.reason ? `: ${data.reason}` : ''}`
  const ofCall = (item: Body<'call'>) => item.id === data.tool_use_id
  const credited = change(draft, 'call', ofCall, (item) => ({ ...item, decided: { text, allowed } }))
  if (!credited) add(draft, { kind: 'note', text: `${data.title}: ${text}`, tone: 'plain', nested: false })
}

function takeNote(draft: Draft, event: ConversationEventOf): void {
  const note = noteOf(event)
  if (note !== null) add(draft, { kind: 'note', nested: false, ...note })
}

function noteOf(event: ConversationEventOf): { text: string; tone: 'plain' | 'warn' | 'bad' } | null {
  switch (event.type) {
    case 'error':
      return { text: event.data.message || event.data.code, tone: 'bad' }
    case 'notice':
      // The agent's own log, of what is told here already.
      if (event.data.code === 'TELEMETRY') return null
      return { text: event.data.message || event.data.code, tone: 'warn' }
    case 'log':
      return { text: event.data.line, tone: event.data.stream === 'stderr' ? 'warn' : 'plain' }
    case 'unknown':
      return { text: event.data.line, tone: 'plain' }
    case 'complete':
      return { text: ended(event.data), tone: 'plain' }
    default:
      return null
  }
}

function ended(data: DataOf<'complete'>): string {
  if (data.signal !== null) return `The agent was ended by ${data.signal}.`
  return data.exit_code === null ? 'The agent ended.' : `The agent ended with exit code ${data.exit_code}.`
}

/** Change the newest item of a kind for which a condition holds; whether there is one. */
function change<Kind extends Item['kind']>(
  draft: Draft,
  kind: Kind,
  holds: (item: Body<Kind>) => boolean,
  changed: (item: Body<Kind>) => Item,
): boolean {
  for (let at = draft.items.length - 1; at >= 0; at -= 1) {
    const item = draft.items[at] as Item
    if (item.kind !== kind || !holds(item as Body<Kind>)) continue
    draft.items[at] = changed(item as Body<Kind>)
    return true
  }
  return false
}
