import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { agentPath } from '../api/client'
import { CONVERSATION_TYPES, type ConversationEventOf } from '../api/frames'
import { eventStream, type Link } from '../api/stream'
import type { AgentView } from '../api/types'
import { isEnded } from '../state/agents'
import type { Asks } from '../state/asks'
import { Store, useStore } from '../state/store'
import { afterEvents, emptyTimeline, type Plan, type Timeline } from '../state/timeline'
import { Approval } from './Approval'
import { PromptBox } from './PromptBox'
import { TimelineItem } from './TimelineItem'

const SHOWN_FIRST = '5000'
const NEAR_PX = 40

interface Props {
  agent: AgentView
  asks: Asks
  mayPrompt: boolean
}

/** A conversation with a coding agent: what was said and done, what it asks, and where to write to it. */
export default function ConversationPane({ agent, asks, mayPrompt }: Props) {
  const { timeline, link } = useTimeline(agent.name)
  const { box, end, away, follow, onScroll } = useFollowing(timeline)
  const open = [...asks.values()].filter((one) => one.session_id === agent.session_id)
  const asking = new Set(open.map((one) => one.tool_use_id))
  const gone = timeline.count - timeline.items.length
  return (
    <>
      <section
        ref={box}
        className="conversation"
        aria-label={`Conversation with ${agent.name}`}
        tabIndex={0}
        onScroll={onScroll}
      >
        {gone > 0 && (
          <p className="gone">
            {gone.toLocaleString('en')} earlier things: <code>roost logs {agent.name}</code>
          </p>
        )}
        <ol className="timeline" aria-live="off">
          {timeline.items.map((item) => (
            <TimelineItem
              key={item.key}
              item={item}
              agent={agent.name}
              asks={item.kind === 'call' && asking.has(item.id)}
            />
          ))}
        </ol>
        {timeline.items.length === 0 && (
          <p className="empty">{link.phase === 'connecting' ? 'Loading…' : 'Nothing was said yet.'}</p>
        )}
        {timeline.running !== null && open.length === 0 && <p className="working">Working…</p>}
        {open.map((approval) => (
          <Approval key={approval.approval_id} approval={approval} mayAnswer={mayPrompt} />
        ))}
        <div ref={end} />
      </section>
      {away !== null && (
        <div className="foot">
          <button type="button" onClick={follow}>
            Follow{timeline.count > away ? ` (+${(timeline.count - away).toLocaleString('en')} new)` : ''}
          </button>
          <span>Standing still while the conversation goes on</span>
        </div>
      )}
      {timeline.plan && <PlanLine plan={timeline.plan} />}
      {link.phase === 'waiting' && (
        <p className="foot" role="status">
          Connection lost. Trying again…
        </p>
      )}
      {mayPrompt && !isEnded(agent.state) && <PromptBox agent={agent} busy={timeline.running !== null} />}
    </>
  )
}

function useTimeline(name: string): { timeline: Timeline; link: Link } {
  const store = useMemo(() => new Store<Timeline>(emptyTimeline), [])
  const [link, setLink] = useState<Link>({ phase: 'connecting' })
  useEffect(() => {
    let batch: ConversationEventOf[] = []
    const flush = () => {
      store.set(afterEvents(store.get(), batch))
      batch = []
    }
    const stream = eventStream({
      url: (after) =>
        `${agentPath(name)}/stream?${new URLSearchParams(after ? { after } : { tail: SHOWN_FIRST })}`,
      types: CONVERSATION_TYPES,
      onLink: setLink,
      isLast: (type) => type === 'complete',
      onEvent(event) {
        if (batch.push(event as ConversationEventOf) === 1) setTimeout(flush, 16)
      },
    })
    return () => stream.close()
  }, [name, store])
  return { timeline: useStore(store), link }
}

/** Stay at the end while it grows, until somebody scrolls up. `away` is how much there was then. */
function useFollowing(timeline: Timeline) {
  const box = useRef<HTMLElement>(null)
  const end = useRef<HTMLDivElement>(null)
  const [away, setAway] = useState<number | null>(null)
  const following = useRef(true)
  const settle = () => {
    if (following.current && box.current) box.current.scrollTop = box.current.scrollHeight
  }
  useLayoutEffect(settle)
  useEffect(() => {
    const watcher = new ResizeObserver(settle)
    watcher.observe(box.current as HTMLElement)
    return () => watcher.disconnect()
  })
  const onScroll = () => {
    const { scrollTop, scrollHeight, clientHeight } = box.current as HTMLElement
    const near = scrollHeight - scrollTop - clientHeight < NEAR_PX
    if (near === following.current) return
    following.current = near
    setAway(near ? null : timeline.count)
  }
  const follow = () => {
    following.current = true
    setAway(null)
    settle()
  }
  return { box, end, away, follow, onScroll }
}

function PlanLine({ plan }: { plan: Plan }) {
  const current = plan.items.find((item) => item.state === 'active')
  return (
    <details className="plan">
      <summary>
        Plan: {plan.done} of {plan.total}
        {current ? ` · ${current.text}` : ''}
      </summary>
      <ul>
        {plan.items.map((item) => (
          <li key={item.text} className={`step-${item.state}`}>
            {item.text}
            <span className="unseen"> ({item.state})</span>
          </li>
        ))}
      </ul>
    </details>
  )
}
