import { useEffect, useRef, useState } from 'react'
import { type Link, type SocketConnection, socket } from '../api/stream'
import type { AgentView, AttachFrame } from '../api/types'
import { TerminalScreen } from '../lib/terminal'
import { isEnded } from '../state/agents'
import { type Attachment, afterFrame, others } from '../state/attachment'
import { TouchKeys } from './TouchKeys'

/** The agent's live terminal, which can be typed into. A new `key` makes a new one. */
export default function TerminalPane({ agent }: { agent: AgentView }) {
  const box = useRef<HTMLDivElement>(null)
  const screen = useRef<TerminalScreen | null>(null)
  const [attachment, setAttachment] = useState<Attachment | null>(null)
  const [link, setLink] = useState<Link>({ phase: 'connecting' })
  const [flood, setFlood] = useState(0)
  const ended = isEnded(agent.state)

  // biome-ignore lint/correctness/useExhaustiveDependencies: after a flood everything is made anew
  useEffect(() => {
    const attached = attach(agent.name, box.current as HTMLElement, {
      setAttachment,
      setLink,
      onFlood: () => setFlood((count) => count + 1),
    })
    screen.current = attached.screen
    return attached.detach
  }, [agent.name, flood])

  useEffect(() => screen.current?.freeze(ended), [ended])

  return (
    <>
      <section className="terminal" aria-label={`Terminal of ${agent.name}`}>
        <div ref={box} className="screen" />
        {link.phase !== 'open' && !ended && (
          <p className="cover" role="status">
            {link.phase === 'connecting' ? 'Connecting to the terminal…' : 'Connection lost. Trying again…'}
          </p>
        )}
      </section>
      <TouchKeys onKey={(text) => screen.current?.type(text)} hidden={ended} />
      <Foot attachment={attachment} ended={ended} />
    </>
  )
}

interface Hooks {
  setAttachment: (attachment: Attachment | null) => void
  setLink: (link: Link) => void
  onFlood: () => void
}

/** Join a screen and a socket. */
function attach(name: string, box: HTMLElement, { setAttachment, setLink, onFlood }: Hooks) {
  let attachment: Attachment | null = null
  let wire: SocketConnection | null = null
  const sendRoom = () => {
    const frame = { type: 'command', command: 'resize', agent: name, data: screen.room() }
    wire?.send(JSON.stringify(frame))
  }
  const screen = new TerminalScreen(box, {
    onInput: (bytes) => wire?.send(bytes),
    onRoom: sendRoom,
    onFlood,
    onLeave: () => document.querySelector<HTMLElement>('a.agent[aria-current], .back')?.focus(),
  })
  wire = socket({
    path: `/ws/agents/${encodeURIComponent(name)}?output=raw`,
    onBytes: (bytes) => screen.write(bytes),
    onLink: setLink,
    onText(received) {
      const frame = received as AttachFrame
      const owned = attachment !== null && attachment.owner === attachment.you
      attachment = afterFrame(attachment, frame)
      setAttachment(attachment)
      if (attachment === null) return
      if (frame.type === 'attached' || frame.type === 'size') screen.resize(attachment)
      if (frame.type === 'attached' || (!owned && attachment.owner === attachment.you)) sendRoom()
    },
  })
  if (!matchMedia('(pointer: coarse)').matches) screen.focus()
  return {
    screen,
    detach() {
      wire?.close()
      screen.dispose()
    },
  }
}

function Foot({ attachment, ended }: { attachment: Attachment | null; ended: boolean }) {
  const company = attachment === null ? [] : others(attachment)
  return (
    <p className="foot">
      {attachment && (
        <span>
          {attachment.cols} × {attachment.rows}
          {attachment.owner !== null && attachment.owner !== attachment.you && ', sized by another viewer'}
        </span>
      )}
      {company.length > 0 && <span>Also here: {company.map((viewer) => viewer.name).join(', ')}</span>}
      {attachment !== null && attachment.skipped > 0 && (
        <span>{attachment.skipped.toLocaleString('en')} bytes skipped</span>
      )}
      {attachment?.refusal && (
        <span role="alert" className="failure">
          {attachment.refusal}
        </span>
      )}
      {!ended && (
        <span className="keys">
          <kbd>Shift</kbd> <kbd>Esc</kbd> leaves the terminal
        </span>
      )}
    </p>
  )
}
