import { memo } from 'react'
import { takeBack } from '../api/client'
import { dollars, span } from '../lib/format'
import type { Call, FileChange, Item } from '../state/timeline'
import { InputOf } from './InputOf'

/** One thing in a conversation. */
export const TimelineItem = memo(function TimelineItem({ item, agent }: { item: Item; agent: string }) {
  return <li className={`item ${item.kind}${item.nested ? ' nested' : ''}`}>{inside(item, agent)}</li>
})

function inside(item: Item, agent: string) {
  switch (item.kind) {
    case 'prompt':
      return <Prompt item={item} agent={agent} />
    case 'said':
      return <div className="text">{item.text}</div>
    case 'thought':
      return (
        <details>
          <summary>Thinking{item.partial ? '…' : ''}</summary>
          <div className="text">{item.text}</div>
        </details>
      )
    case 'call':
      return <CallItem call={item} />
    case 'file':
      return <File file={item.file} />
    case 'note':
      return <p className={`tone-${item.tone}`}>{item.text}</p>
    case 'end':
      return (
        <p className={`tone-${item.tone}`}>
          {[item.text, span(item.ms), dollars(item.cost)].filter(Boolean).join(' · ')}
        </p>
      )
  }
}

const WAITS: Partial<Record<string, string>> = {
  queued: 'waits for its turn',
  steered: 'taken into the turn that ran',
  refused: 'refused',
  cancelled: 'taken back',
}

function Prompt({ item, agent }: { item: Extract<Item, { kind: 'prompt' }>; agent: string }) {
  const waits = WAITS[item.state]
  return (
    <>
      <div className="text">{item.text}</div>
      {waits !== undefined && (
        <p className="aside">
          {waits}
          {item.state === 'queued' && (
            <button
              type="button"
              className="quiet"
              onClick={() => takeBack(agent, item.turn).catch(() => {})}
            >
              Take back
            </button>
          )}
        </p>
      )}
    </>
  )
}

function CallItem({ call }: { call: Call }) {
  const { result } = call
  const mark = result === null ? 'open' : result.failed ? 'failed' : 'done'
  return (
    <>
      <details>
        <summary>
          <span className={`mark mark-${mark}`} aria-hidden="true" />
          <span className="title">{call.title}</span>
          <span className="aside">{result === null ? 'runs…' : span(result.ms)}</span>
          {result?.failed && <span className="tone-bad">failed</span>}
        </summary>
        <InputOf tool={call.tool} input={call.input} />
        {result !== null && result.text !== '' && <pre className="result">{result.text}</pre>}
      </details>
      {call.decided && (
        <p className={call.decided.allowed ? 'aside' : 'aside tone-warn'}>{call.decided.text}</p>
      )}
      {result?.failed && <p className="tone-bad clipped">{result.text.split('\n')[0]}</p>}
      {call.files.map((file) => (
        <File key={file.path} file={file} />
      ))}
    </>
  )
}

function File({ file }: { file: FileChange }) {
  return (
    <p className="file">
      <span className="mono">{file.path}</span> {file.change === 'modified' ? '' : file.change}{' '}
      {file.added !== null && <span className="added">+{file.added}</span>}{' '}
      {file.removed !== null && <span className="removed">−{file.removed}</span>}
    </p>
  )
}
