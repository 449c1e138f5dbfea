import { type KeyboardEvent, useEffect, useRef } from 'react'
import type { Fleet } from '../state/fleet'
import { Approval } from './Approval'

/** All that agents ask, oldest first. */
export function Inbox({ asks, loaded, maySteer }: Pick<Fleet, 'asks' | 'loaded' | 'maySteer'>) {
  const box = useRef<HTMLElement>(null)
  useEffect(() => box.current?.focus({ preventScroll: true }), [])
  const approvals = [...asks.values()].sort((one, other) => one.asked_at.localeCompare(other.asked_at))
  return (
    <main ref={box} className="inbox" tabIndex={-1} onKeyDown={walk}>
      <h1>
        Approvals <span className="count">{approvals.length || ''}</span>
      </h1>
      {approvals.length > 0 && maySteer && (
        <p className="hint">
          <kbd>j</kbd> <kbd>k</kbd> go from one to the next, <kbd>y</kbd> allows it, <kbd>n</kbd> denies it
        </p>
      )}
      <div className="cards">
        {approvals.map((approval) => (
          <Approval key={approval.approval_id} approval={approval} mayAnswer={maySteer} ofMany />
        ))}
      </div>
      {approvals.length === 0 && (
        <p className="empty">{loaded ? 'No agent waits for an answer.' : 'Loading…'}</p>
      )}
    </main>
  )
}

const STEPS: Record<string, number> = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }

function walk(event: KeyboardEvent<HTMLElement>): void {
  const step = STEPS[event.key]
  const typing = event.target instanceof Element && event.target.closest('input, textarea')
  if (step === undefined || typing || event.ctrlKey || event.metaKey || event.altKey) return
  const cards = [...event.currentTarget.querySelectorAll<HTMLElement>('.approval')]
  const here = cards.findIndex((card) => card.contains(document.activeElement))
  const next = here < 0 ? cards[step > 0 ? 0 : cards.length - 1] : cards[here + step]
  if (next === undefined) return
  event.preventDefault()
  next.focus()
  next.scrollIntoView({ block: 'nearest' })
}
