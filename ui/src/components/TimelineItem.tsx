import { memo } from 'react'
import { takeBack } from '../api/client'
import { dollars, span } from '../lib/format'
import type { Call, FileChange, Item } from '../state/timeline'
import { InputOf } from './InputOf'

/** One thing in a conversation. */
export const TimelineItem = memo(function TimelineItem({ item, agent, asks }: Props) {
  return <li className={`item ${item.kind}${item.nested ? ' nested' : ''}`}>{inside(item, agent, asks)}</li>
})

interface Props {
  item: Item
  agent: string
  /** Whether somebody has to allow it first. */
  asks: boolean
}

function inside(item: Item, agent: string, asks: boolean) {
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
      return <CallItem call={item} asks={asks} />
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

function CallItem({ call, asks }: { call: Call; asks: boolean }) {
  const { result, decided } = call
  const denied = decided?.allowed === false
  return (
    <>
      <details>
        <CallLine call={call} asks={asks} denied={denied} />
        <InputOf tool={call.tool} input={call.input} />
        {result?.text && <pre className="result">{result.text}</pre>}
      </details>
      {decided && <p className={denied ? 'aside tone-warn' : 'aside'}>{decided.text}</p>}
      {result?.failed && !denied && !result.cut && (
        <p className="tone-bad clipped">{result.text.split('\n')[0]}</p>
      )}
      {call.files.map((file) => (
        <File key={file.path} file={file} />
      ))}
    </>
  )
}

function CallLine({ call: { title, result }, asks, denied }: { call: Call; asks: boolean; denied: boolean }) {
  const mark = result === null ? 'open' : result.failed ? 'failed' : 'done'
  const pending = asks ? 'asks first' : 'runs…'
  return (
    <summary>
      <span className={`mark mark-${mark}`} aria-hidden="true" />
      <span className="title">{title}</span>
      <span className="aside">{result === null ? pending : span(result.ms)}</span>
      {result?.failed && (
        <span className="tone-bad">{denied ? 'denied' : result.cut ? 'interrupted' : 'failed'}</span>
      )}
    </summary>
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
