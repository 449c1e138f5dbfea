import {
  type FormEvent,
  type KeyboardEvent,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react'
import { ApiError, agentPath, sendInput } from '../api/client'
import { eventStream, type Link } from '../api/stream'
import type { AgentView } from '../api/types'
import { isEnded } from '../state/agents'
import { afterEvents, emptyLog, type Line, type Log, type SessionEvent } from '../state/log'
import { Store, useStore } from '../state/store'

const LINE_PX = 19
const TYPES = ['log', 'state', 'complete', 'error'] as const

/** What an agent on pipes writes, and a line to write to it. */
export function LogPane({ agent, mayType }: { agent: AgentView; mayType: boolean }) {
  const { log, link } = useLog(agent.name)
  const [frozen, setFrozen] = useState<Log | null>(null)
  const shown = frozen ?? log
  const missed = log.count - shown.count
  const gone = shown.count - shown.lines.length
  return (
    <>
      <section className="log" aria-label={`Output of ${agent.name}`}>
        {gone > 0 && (
          <p className="gone">
            {gone.toLocaleString('en')} earlier lines: <code>roost logs {agent.name}</code>
          </p>
        )}
        {frozen === null ? (
          <Tail lines={shown.lines} onUp={() => setFrozen(log)} />
        ) : (
          <Past lines={shown.lines} onBottom={() => setFrozen(null)} />
        )}
        {shown.lines.length === 0 && <p className="cover">No output yet.</p>}
      </section>
      <div className="foot">
        <button type="button" onClick={() => setFrozen(frozen ? null : log)}>
          {frozen === null ? 'Stop following' : `Follow (+${missed.toLocaleString('en')} new)`}
        </button>
        <span>{frozen === null ? 'Following the newest lines' : 'Standing still while output goes on'}</span>
        {link.phase === 'waiting' && <span role="status">Connection lost. Trying again…</span>}
      </div>
      {mayType && !isEnded(agent.state) && <InputLine agent={agent} />}
    </>
  )
}

/** Follow the agent's events; all that come in one frame are painted together. */
function useLog(name: string): { log: Log; link: Link } {
  const store = useMemo(() => new Store<Log>(emptyLog), [])
  const [link, setLink] = useState<Link>({ phase: 'connecting' })
  useEffect(() => {
    let batch: SessionEvent[] = []
    const flush = () => {
      store.set(afterEvents(store.get(), batch))
      batch = []
    }
    const stream = eventStream({
      url: (after) =>
        `${agentPath(name)}/stream?${new URLSearchParams(after ? { after } : { tail: '1000' })}`,
      types: TYPES,
      onLink: setLink,
      isLast: (type) => type === 'complete',
      onEvent(event) {
        if (batch.push(event as SessionEvent) === 1) setTimeout(flush, 16)
      },
    })
    return () => stream.close()
  }, [name, store])
  return { log: useStore(store), link }
}

/** The newest lines, as many as fit, so that nothing scrolls while they come. */
function Tail({ lines, onUp }: { lines: readonly Line[]; onUp: () => void }) {
  const box = useRef<HTMLDivElement>(null)
  const [room, setRoom] = useState(60)
  useEffect(() => {
    const watcher = new ResizeObserver(([entry]) =>
      setRoom(Math.ceil((entry?.contentRect.height ?? 0) / LINE_PX) + 1),
    )
    watcher.observe(box.current as HTMLElement)
    return () => watcher.disconnect()
  }, [])
  const onKey = ({ key }: KeyboardEvent) => {
    if (key === 'ArrowUp' || key === 'PageUp' || key === 'Home') onUp()
  }
  return (
    <div
      ref={box}
      role="log"
      aria-live="off"
      aria-label="Newest lines"
      tabIndex={0}
      className="lines tail"
      onKeyDown={onKey}
      onWheel={(event) => event.deltaY < 0 && onUp()}
      onTouchMove={onUp}
    >
      {lines.slice(-room).map((line) => (
        <Row key={line.number} line={line} />
      ))}
    </div>
  )
}

/** All lines that are kept, standing still. Scrolling to the bottom follows again. */
function Past({ lines, onBottom }: { lines: readonly Line[]; onBottom: () => void }) {
  const box = useRef<HTMLDivElement>(null)
  const away = useRef(false)
  useLayoutEffect(() => {
    const element = box.current as HTMLElement
    element.scrollTop = element.scrollHeight - element.clientHeight - 3 * LINE_PX
    element.focus({ preventScroll: true })
  }, [])
  const onScroll = () => {
    const element = box.current as HTMLElement
    const below = element.scrollHeight - element.scrollTop - element.clientHeight
    if (below > 2 * LINE_PX) away.current = true
    else if (below < 2 && away.current) onBottom()
  }
  return (
    <div
      ref={box}
      role="log"
      aria-live="off"
      aria-label="Earlier lines"
      tabIndex={0}
      className="lines"
      onScroll={onScroll}
    >
      {lines.map((line) => (
        <Row key={line.number} line={line} />
      ))}
    </div>
  )
}

function Row({ line }: { line: Line }) {
  return <div className={`line ${line.kind}`}>{line.text || ' '}</div>
}

function InputLine({ agent }: { agent: AgentView }) {
  const [failure, setFailure] = useState<ApiError | null>(null)
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = event.currentTarget
    const text = String(new FormData(form).get('input') ?? '')
    setFailure(null)
    try {
      await sendInput(agent.name, `${text}\n`)
      form.reset()
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      setFailure(error)
    }
  }
  return (
    <form className="inputline" onSubmit={submit}>
      <input
        name="input"
        aria-label={`A line of input for ${agent.name}`}
        placeholder="Type a line for its standard input"
        autoComplete="off"
        spellCheck={false}
        className="mono"
      />
      <button type="submit">Send</button>
      {failure && (
        <p role="alert" className="failure">
          {failure.message} {failure.hint}
        </p>
      )}
    </form>
  )
}
