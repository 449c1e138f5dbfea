/** Joins a terminal on the page with the agent's terminal behind a socket. */

import type { AttachFrame } from '../api/frames'
import { type Link, type SocketConnection, socket } from '../api/stream'
import { type Attachment, afterFrame, roomIsDue } from '../state/attachment'
import type { Outbox } from '../state/outbox'
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

/** `outbox` is null for those who may only look: they type nothing, and their window never decides the terminal's size. */
export function attach(name: string, outbox: Outbox | null, box: HTMLElement, hooks: Hooks): Attached {
  let attachment: Attachment | null = null
  let wire: SocketConnection | null = null

  function sendRoom(): void {
    if (outbox === null) return
    wire?.send(JSON.stringify({ type: 'command', command: 'resize', agent: name, data: screen.room() }))
  }

  function flush(): void {
    if (outbox === null || attachment === null) return
    for (let frame = outbox.take(); frame !== null; frame = outbox.take()) wire?.send(frame)
  }

  /** What was typed goes on from here, with all that was not acknowledged. */
  function beginTyping(sessionId: string): void {
    if (outbox === null) return
    outbox.begin(sessionId)
    wire?.send(JSON.stringify({ type: 'input', client_id: outbox.clientId, session_id: sessionId }))
  }

  function receive(frame: AttachFrame): void {
    become(afterFrame(attachment, frame))
    if (frame.type === 'attached') beginTyping(frame.data.session_id)
    if (frame.type === 'acknowledged') outbox?.settle(frame.data.seq)
    if (frame.type === 'error' && frame.seq !== undefined) outbox?.settle(frame.seq)
    flush()
  }

  function become(next: Attachment | null): void {
    const due = roomIsDue(attachment, next)
    attachment = next
    hooks.setAttachment(next)
    if (next !== null) screen.resize(next)
    if (due) sendRoom()
  }

  const screen = new TerminalScreen(box, {
    onInput(bytes) {
      if (outbox?.add(bytes)) flush()
    },
    onRoom: sendRoom,
    onFlood: hooks.onFlood,
    onLeave: hooks.onLeave,
  })
  wire = socket({
    path: `/ws/agents/${encodeURIComponent(name)}?output=raw&viewer=web+page`,
    onBytes: (bytes) => screen.write(bytes),
    onText: (frame) => receive(frame as AttachFrame),
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
