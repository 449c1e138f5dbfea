/** What this page knows of a terminal it is attached to. Pure. */

import type { AttachFrame, Viewer } from '../api/frames'

export interface Attachment {
  sessionId: string
  cols: number
  rows: number
  viewers: readonly Viewer[]
  /** Our own id among the viewers. */
  you: string
  /** Whose window decides the terminal's size: the last to type. */
  owner: string | null
  /** Bytes that were left out because this page fell behind. */
  skipped: number
  /** The last thing the server refused. */
  refusal: string | null
}

/** The attachment after a text frame; null until the server has said that we are attached. */
export function afterFrame(attachment: Attachment | null, frame: AttachFrame): Attachment | null {
  if (frame.type === 'attached') {
    const { session_id, cols, rows, viewers, you, owner } = frame.data
    return { sessionId: session_id, cols, rows, viewers, you, owner, skipped: 0, refusal: null }
  }
  if (attachment === null) return null
  switch (frame.type) {
    case 'viewers':
      return { ...attachment, viewers: frame.data.viewers, owner: frame.data.owner }
    case 'size':
      return { ...attachment, cols: frame.data.cols, rows: frame.data.rows }
    case 'skipped':
      return { ...attachment, skipped: attachment.skipped + frame.data.bytes }
    case 'error':
      return { ...attachment, refusal: frame.message }
    default:
      return attachment
  }
}

export const others = ({ viewers, you }: Attachment): Viewer[] =>
  viewers.filter((viewer) => viewer.id !== you)

/** Whether the server must hear the size of our window: for every session, and when our window becomes the one that counts. */
export function roomIsDue(before: Attachment | null, after: Attachment | null): boolean {
  if (after === null) return false
  return before?.sessionId !== after.sessionId || (!ownsSize(before) && ownsSize(after))
}

const ownsSize = ({ owner, you }: Attachment): boolean => owner === you
