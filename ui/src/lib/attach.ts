/** Joins a terminal on the page with the agent's terminal behind a socket. */

import type { AttachFrame } from '../api/frames'
import { type Link, type SocketConnection, socket } from '../api/stream'
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

/** `mayType` is false for those who may only look: their window never decides the terminal's size. */
export function attach(name: string, mayType: boolean, box: HTMLElement, hooks: Hooks): Attached {
  let attachment: Attachment | null = null
  let wire: SocketConnection | null = null

  function sendRoom(): void {
    if (!mayType) return
    wire?.send(JSON.stringify({ type: 'command', command: 'resize', agent: name, data: screen.room() }))
  }

  function become(next: Attachment | null): void {
    const due = roomIsDue(attachment, next)
    attachment = next
    hooks.setAttachment(next)
    if (next !== null) screen.resize(next)
    if (due) sendRoom()
  }

  const screen = new TerminalScreen(box, {
    onInput: (bytes) => wire?.send(bytes),
    onRoom: sendRoom,
    onFlood: hooks.onFlood,
    onLeave: hooks.onLeave,
  })
  wire = socket({
    path: `/ws/agents/${encodeURIComponent(name)}?output=raw&viewer=web+page`,
    onBytes: (bytes) => screen.write(bytes),
    onText: (frame) => become(afterFrame(attachment, frame as AttachFrame)),
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
