/** Joins a terminal on the page with the agent's terminal behind a socket. */

import { type Link, type SocketConnection, socket } from '../api/stream'
import type { AttachFrame } from '../api/types'
import { type Attachment, afterFrame, roomIsDue } from '../state/attachment'
import { TerminalScreen } from './terminal'

export interface Hooks {
  setAttachment(attachment: Attachment | null): void
  setLink(link: Link): void
  /** More output came than can be drawn: attach anew, which begins with a fresh screen. */
  onFlood(): void
  /** The keyboard leaves the terminal. */
  onLeave(): void
}

export interface Attached {
  screen: TerminalScreen
  detach(): void
}

export function attach(name: string, box: HTMLElement, hooks: Hooks): Attached {
  let attachment: Attachment | null = null
  let wire: SocketConnection | null = null

  function sendRoom(): void {
    wire?.send(JSON.stringify({ type: 'command', command: 'resize', agent: name, data: screen.room() }))
  }

  function become(next: Attachment | null): void {
    const due = roomIsDue(attachment, next)
    attachment = next
    hooks.setAttachment(next)
    if (next !== null) screen.resize(next)
    if (due) sendRoom()
  }

  function take(frame: AttachFrame): void {
    become(afterFrame(attachment, frame))
    if (frame.type === 'complete') wire?.close() // nothing follows; a new session makes a new pane
  }

  const screen = new TerminalScreen(box, {
    onInput: (bytes) => wire?.send(bytes),
    onRoom: sendRoom,
    onFlood: hooks.onFlood,
    onLeave: hooks.onLeave,
  })
  wire = socket({
    path: `/ws/agents/${encodeURIComponent(name)}?output=raw`,
    onBytes: (bytes) => screen.write(bytes),
    onText: (frame) => take(frame as AttachFrame),
    onLink(link) {
      if (link.phase !== 'open') become(null)
      hooks.setLink(link)
    },
  })
  return {
    screen,
    detach() {
      wire?.close()
      screen.dispose()
    },
  }
}
