import { useNow } from '../state/clock'
import { type Fleet, reconnect } from '../state/fleet'

type Standing = Pick<Fleet, 'link' | 'trouble' | 'loaded'>

/** How the connection stands, in words. */
export function LinkBadge({ link, trouble, loaded }: Standing) {
  const now = useNow()
  const broken = isBroken({ link, trouble, loaded })
  return (
    <span className={`link link-${broken ? 'broken' : link.phase}`}>
      <span className="dot" aria-hidden="true" />
      <span role="status">
        {broken ? complaint({ link, trouble, loaded }, now) : progress({ link, trouble, loaded })}
      </span>
      {broken && (
        <button type="button" className="quiet" onClick={reconnect}>
          Try now
        </button>
      )}
    </span>
  )
}

/** Whether what the page shows may be old. */
export function isBroken({ link, trouble }: Standing): boolean {
  return link.phase === 'waiting' || (link.phase === 'connecting' && trouble !== null)
}

function progress({ link, loaded }: Standing): string {
  if (link.phase === 'open') return 'Live'
  return loaded ? 'Connecting…' : 'Loading…'
}

function complaint({ link, trouble }: Standing, now: number): string {
  const what = trouble === null ? 'Live updates interrupted' : 'Server not reachable'
  const seconds = link.phase === 'waiting' ? Math.ceil((link.retryAtMs - now) / 1000) : 0
  return seconds > 0 ? `${what}, trying again in ${seconds} s` : `${what}, trying again…`
}
