/** What streams and sockets carry, in the shapes of the reference. */

import type * as server from './schema'
import type { AgentState } from './types'

export type {
  CompleteEvent,
  ErrorEvent,
  LogEvent,
  PermissionEvent,
  ScreenShownEvent as ScreenEvent,
  TurnEvent,
} from './schema'

export type StateEvent = Omit<server.StateChangeEvent, 'data'> & {
  data: { state: AgentState; previous: AgentState | null; reason: string | null }
}

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

/** What is told of a conversation with a coding agent. */
export type ConversationEventOf =
  | server.TurnEvent
  | server.OutputEvent
  | server.ThinkingEvent
  | server.ToolCallEvent
  | server.ToolResultEvent
  | server.FileChangeEvent
  | server.ProgressEvent
  | server.PermissionEvent
  | server.UsageEvent
  | server.NoticeEvent
  | server.UnknownEvent
  | server.ErrorEvent
  | server.LogEvent
  | server.CompleteEvent

export const CONVERSATION_TYPES: readonly ConversationEventOf['type'][] = [
  'turn',
  'output',
  'thinking',
  'tool_call',
  'tool_result',
  'file_change',
  'progress',
  'permission',
  'usage',
  'notice',
  'unknown',
  'error',
  'log',
  'complete',
]
