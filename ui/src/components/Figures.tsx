import type { ReactNode } from 'react'
import type { AgentView } from '../api/types'
import { ago, duration } from '../lib/format'
import { isEnded } from '../state/agents'
import { useNow } from '../state/clock'

/** A figure whose label is read out, and seen where there is room for it. */
export function Figure({
  label,
  children,
  className = '',
}: {
  label: string
  children: ReactNode
  className?: string
}) {
  return (
    <span className={`figure ${className}`}>
      <span className="label">{label}</span> {children}
    </span>
  )
}

export function LastOutput({ at }: { at: string | null }) {
  return ago(at, useNow())
}

/** How long the session has run, or did run. */
export function Age({ agent }: { agent: AgentView }) {
  const now = useNow()
  if (!isEnded(agent.state)) return duration((now - Date.parse(agent.started_at)) / 1000)
  return duration(agent.uptime_s)
}
