/** The newest lines of an agent on pipes, bounded; what is let go is counted. Pure. */

import type { CompleteEvent, ErrorEvent, LogEvent, ScreenEvent, StateEvent } from '../api/frames'

export type SessionEvent = LogEvent | StateEvent | CompleteEvent | ErrorEvent | ScreenEvent

export interface Line {
  /** Counts from 1 over everything that came; a row's identity. */
  number: number
  text: string
  kind: 'stdout' | 'stderr' | 'note'
}

export interface Log {
  lines: readonly Line[]
  /** Lines that came, kept or not. */
  count: number
}

export const LINES_KEPT = 5000

export const emptyLog: Log = { lines: [], count: 0 }

/** The log after all events of one frame. It is cut in big steps, so that a line costs the same at any length. */
export function afterEvents(log: Log, events: readonly SessionEvent[]): Log {
  const lines = log.lines.slice()
  let { count } = log
  for (const event of events) {
    const line = lineOf(event)
    if (line === null) continue
    count += 1
    lines.push({ ...line, number: count })
  }
  return { lines: lines.length > LINES_KEPT * 1.25 ? lines.slice(-LINES_KEPT) : lines, count }
}

function lineOf(event: SessionEvent): Omit<Line, 'number'> | null {
  switch (event.type) {
    case 'log':
      return { text: event.data.line, kind: event.data.stream }
    case 'error':
      return { text: event.data.message, kind: 'note' }
    case 'complete':
      return { text: ended(event), kind: 'note' }
    default:
      return null
  }
}

function ended({ data }: CompleteEvent): string {
  if (data.signal !== null) return `Ended by ${data.signal}.`
  return data.exit_code === null ? 'Ended.' : `Ended with exit code ${data.exit_code}.`
}
