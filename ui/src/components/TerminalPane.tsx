import { useEffect, useRef, useState } from 'react'
import type { Link } from '../api/stream'
import type { AgentView } from '../api/types'
import { attach } from '../lib/attach'
import type { TerminalScreen } from '../lib/terminal'
import { isEnded } from '../state/agents'
import { type Attachment, others } from '../state/attachment'
import { Outbox } from '../state/outbox'
import { TouchKeys } from './TouchKeys'

/** The agent's live terminal, which can be typed into; it goes on with the agent's next session by itself. */
export default function TerminalPane({ agent, mayType }: { agent: AgentView; mayType: boolean }) {
  const box = useRef<HTMLDivElement>(null)
  const screen = useRef<TerminalScreen | null>(null)
  const [attachment, setAttachment] = useState<Attachment | null>(null)
  const [link, setLink] = useState<Link>({ phase: 'connecting' })
  const [flood, setFlood] = useState(0)
  const [outbox] = useState(() => new Outbox())
  const still = !mayType || isEnded(agent.state)

  // biome-ignore lint/correctness/useExhaustiveDependencies: after a flood everything is made anew
  useEffect(() => {
    const attached = attach(agent.name, mayType ? outbox : null, box.current as HTMLElement, {
      setAttachment,
      setLink,
      onFlood: () => setFlood((count) => count + 1),
      onLeave: () => document.querySelector<HTMLElement>('a.agent[aria-current], .back')?.focus(),
    })
    screen.current = attached.screen
    if (!matchMedia('(pointer: coarse)').matches) attached.screen.focus()
    return attached.detach
  }, [agent.name, mayType, flood])

  useEffect(() => screen.current?.freeze(still), [still])

  return (
    <>
      <section className="stage" aria-label={`Terminal of ${agent.name}`}>
        <div ref={box} className="screen" />
        {(link.phase === 'connecting' || link.phase === 'waiting') && (
          <p className="cover" role="status">
            {link.phase === 'connecting' ? 'Connecting to the terminal…' : 'Connection lost. Trying again…'}
          </p>
        )}
      </section>
      <TouchKeys onKey={(text) => screen.current?.type(text)} hidden={still} />
      <Foot attachment={attachment} still={still} />
    </>
  )
}

function Foot({ attachment, still }: { attachment: Attachment | null; still: boolean }) {
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
      {!still && (
        <span className="keys">
          <kbd>Shift</kbd> <kbd>Esc</kbd> leaves the terminal
        </span>
      )}
    </p>
  )
}
