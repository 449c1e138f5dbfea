import type { AgentState } from '../api/types'

const WORDS: Record<AgentState, string> = {
  starting: 'starting',
  running: 'running',
  waiting: 'needs you',
  idle: 'idle',
  paused: 'paused',
  stopping: 'stopping',
  exited: 'exited',
  failed: 'failed',
  lost: 'lost',
}

/** An agent's state as a word beside a mark that differs in form as well as in colour. */
export function StateMark({ state }: { state: AgentState }) {
  return (
    <span className={`state state-${state}`}>
      <span className="dot" aria-hidden="true" />
      {WORDS[state]}
    </span>
  )
}
