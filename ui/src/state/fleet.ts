/** The list of agents kept in step with the server: its events as they come, the whole list every few seconds. */

import { ApiError, listAgents, openApprovals, whoAmI } from '../api/client'
import type { PermissionEvent } from '../api/frames'
import { type Connection, eventStream, type Link } from '../api/stream'
import { type Agents, afterEvent, type FleetEvent, fromList } from './agents'
import { type Asks, asksAfter, asksFrom } from './asks'
import { Store } from './store'

export interface Fleet {
  agents: Agents
  /** What agents ask and wait for. */
  asks: Asks
  /** Whether a list has come. */
  loaded: boolean
  /** No valid cookie: somebody must sign in. */
  locked: boolean
  /** Whether we may do more than look; the server decides anew on every request. */
  maySteer: boolean
  /** Why the last attempt to get the list failed. */
  trouble: ApiError | null
  link: Link
}

export const fleet = new Store<Fleet>({
  agents: new Map(),
  asks: new Map(),
  loaded: false,
  locked: false,
  maySteer: true,
  trouble: null,
  link: { phase: 'connecting' },
})

const REFRESH_MS = 2500
const CROWD = 200
const CROWD_REFRESH_MS = 5000
const HIDDEN_REFRESH_MS = 20_000
const SOON_MS = 250
const TYPES = ['state', 'complete', 'permission']

let stream: Connection | null = null
let timer: ReturnType<typeof setTimeout> | undefined
let events = 0
let fetching = false

const change = (part: Partial<Fleet>): void => fleet.set({ ...fleet.get(), ...part })

/** Begin to follow the fleet; the answer ends it. */
export function followFleet(): () => void {
  document.addEventListener('visibilitychange', onVisibility)
  listen()
  void refresh()
  return () => {
    document.removeEventListener('visibilitychange', onVisibility)
    clearTimeout(timer)
    stream?.close()
    stream = null
  }
}

/** Get the list now. */
export async function refresh(): Promise<void> {
  if (fetching) return
  fetching = true
  clearTimeout(timer)
  const eventsBefore = events
  const asksBefore = fleet.get().asks
  try {
    const [list, caller, asked] = await Promise.all([
      listAgents(),
      fleet.get().loaded ? null : whoAmI(),
      openApprovals(),
    ])
    if (caller !== null) change({ maySteer: caller.role !== 'viewer' })
    change({ agents: fromList(list), loaded: true, locked: false, trouble: null })
    // What crossed an event on its way may be older than it; the next list has it right.
    if (asksBefore === fleet.get().asks) change({ asks: asksFrom(asked) })
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    change(error.status === 401 ? { locked: true, loaded: false, trouble: null } : { trouble: error })
  } finally {
    fetching = false
    schedule(eventsBefore)
  }
}

/** An answer that crossed an event may be older than it, so it is asked for again soon. */
function schedule(eventsBefore: number): void {
  clearTimeout(timer)
  if (fleet.get().locked) {
    stream?.close()
    stream = null
    return
  }
  timer = setTimeout(refresh, events === eventsBefore ? usualRefreshMs() : SOON_MS)
}

function usualRefreshMs(): number {
  if (document.hidden) return HIDDEN_REFRESH_MS
  return fleet.get().agents.size > CROWD ? CROWD_REFRESH_MS : REFRESH_MS
}

/** There is a cookie now: begin to follow. */
export async function signedIn(): Promise<void> {
  listen()
  await refresh()
}

/** Try everything at once, after the user asked for it. */
export function reconnect(): void {
  stream?.retry()
  void refresh()
}

function listen(): void {
  stream ??= eventStream({
    url: (after) =>
      `/api/stream?${new URLSearchParams({ types: TYPES.join(','), ...(after ? { after } : { tail: '0' }) })}`,
    types: TYPES,
    onEvent: (event) => onEvent(event as FleetEvent | PermissionEvent),
    onLink,
  })
}

function onEvent(event: FleetEvent | PermissionEvent): void {
  events += 1
  if (event.type === 'permission') {
    change({ asks: asksAfter(fleet.get().asks, event) })
    return
  }
  const agents = afterEvent(fleet.get().agents, event)
  if (agents !== null) change({ agents })
  else if (!fetching) {
    clearTimeout(timer)
    timer = setTimeout(refresh, SOON_MS)
  }
}

function onLink(link: Link): void {
  const returned = link.phase === 'open' && fleet.get().link.phase !== 'open'
  change({ link })
  if (returned || link.phase === 'waiting') void refresh()
}

function onVisibility(): void {
  if (!document.hidden) void refresh()
}
