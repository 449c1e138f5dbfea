/** What streams and sockets carry, in the shapes of the reference. */

import type { AgentState } from './types'

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
  | FrameOf<'acknowledged', { seq: number }>
  | FrameOf<'complete', { exit_code: number | null; signal: string | null; duration_ms: number }>
  | { type: 'response'; command: string; success: boolean; data: unknown; request_id?: string }
  | { type: 'error'; code: string; message: string; request_id?: string; seq?: number }
