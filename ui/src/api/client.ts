/** All calls of the server's REST API. The browser's cookie says who we are. */

import type {
  AgentList,
  AgentView,
  ApprovalView,
  CallerView,
  DecisionBody,
  ErrorView,
  PromptBody,
  StartAgent,
  TurnView,
} from './types'

/** A call that failed. `status` is 0 and `code` `UNREACHABLE` where no answer came. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: Record<string, unknown> = {},
  ) {
    super(message)
    this.name = 'ApiError'
  }

  /** What to do about it, where the server knows. */
  get hint(): string | null {
    return typeof this.details.hint === 'string' ? this.details.hint : null
  }
}

interface Call {
  method?: 'GET' | 'POST' | 'DELETE'
  body?: unknown
  timeoutMs?: number
}

const PAGE_SIZE = 1000
const PAGES_AT_MOST = 10
const STOP_TIMEOUT_MS = 60_000

export const agentPath = (name: string): string => `/api/agents/${encodeURIComponent(name)}`

/** Every agent, page by page, at most 10 000. */
export async function listAgents(): Promise<AgentView[]> {
  const agents: AgentView[] = []
  let cursor: string | null = null
  for (let page = 0; page < PAGES_AT_MOST; page += 1) {
    const query = new URLSearchParams({ limit: String(PAGE_SIZE), ...(cursor === null ? {} : { cursor }) })
    const answer: AgentList = await call(`/api/agents?${query}`)
    agents.push(...answer.agents)
    cursor = answer.next_cursor ?? null
    if (cursor === null) break
  }
  return agents
}

export const startAgent = (body: StartAgent): Promise<AgentView> =>
  call('/api/agents', { method: 'POST', body })

/** End the agent's processes, by force after a grace period; answers when they are gone. */
export const stopAgent = (name: string): Promise<unknown> =>
  call(agentPath(name), { method: 'DELETE', timeoutMs: STOP_TIMEOUT_MS })

export type Act = 'kill' | 'pause' | 'resume' | 'restart'

export const actOn = (name: string, act: Act): Promise<unknown> =>
  call(`${agentPath(name)}/${act}`, { method: 'POST', timeoutMs: STOP_TIMEOUT_MS })

export const sendInput = (name: string, input: string): Promise<unknown> =>
  call(`${agentPath(name)}/input`, { method: 'POST', body: { input } })

/** Give a coding agent a prompt; answers once it is kept. */
export const promptAgent = (name: string, body: PromptBody): Promise<TurnView> =>
  call(`${agentPath(name)}/prompt`, { method: 'POST', body })

/** End the turn that runs; answers when it has ended. */
export const interruptAgent = (name: string): Promise<unknown> =>
  call(`${agentPath(name)}/interrupt`, { method: 'POST' })

/** Take back a prompt that waits. */
export const takeBack = (name: string, turn: string): Promise<unknown> =>
  call(`${agentPath(name)}/turns/${encodeURIComponent(turn)}`, { method: 'DELETE' })

/** All that agents ask and wait for. */
export async function openApprovals(): Promise<ApprovalView[]> {
  const answer: { approvals: ApprovalView[] } = await call(`/api/approvals?limit=${PAGE_SIZE}`)
  return answer.approvals
}

export const decide = (id: string, body: DecisionBody): Promise<ApprovalView> =>
  call(`/api/approvals/${encodeURIComponent(id)}`, { method: 'POST', body })

/** Whom the server takes us for. */
export const whoAmI = (): Promise<CallerView> => call('/api/login')

/** Trade the token for a cookie. */
export const signIn = (token: string): Promise<unknown> =>
  call('/api/login', { method: 'POST', body: { token } })

async function call<Answer>(path: string, { method = 'GET', body, timeoutMs = 15_000 }: Call = {}) {
  const response = await reach(path, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(timeoutMs),
  })
  const answer: unknown = await response.json().catch(() => null)
  if (!response.ok) throw failure(response, answer)
  return answer as Answer
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init)
  } catch (error) {
    const late = error instanceof DOMException && error.name === 'TimeoutError'
    throw new ApiError(
      0,
      'UNREACHABLE',
      late ? 'The server did not answer in time.' : 'The server cannot be reached.',
    )
  }
}

function failure(response: Response, answer: unknown): ApiError {
  const body = (answer as Partial<ErrorView> | null)?.error
  if (body === undefined)
    return new ApiError(response.status, 'UNKNOWN', `The server answered ${response.status}.`)
  return new ApiError(response.status, body.code, body.message, body.details)
}
