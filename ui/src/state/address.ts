/** Where the user is, as an address: `/agents/NAME?q=FILTER`, or `/approvals`. Pure. */

export interface Place {
  agent: string | null
  filter: string
  /** What agents ask, instead of the agents. */
  approvals: boolean
}

export function parsePlace(path: string, search: string): Place {
  const name = /^\/agents\/([^/]+)\/?$/.exec(path)?.[1]
  return {
    agent: name === undefined ? null : decoded(name),
    filter: new URLSearchParams(search).get('q') ?? '',
    approvals: /^\/approvals\/?$/.test(path),
  }
}

export function formatPlace({ agent, filter, approvals }: Place): string {
  const list = approvals ? '/approvals' : '/'
  const path = agent === null ? list : `/agents/${encodeURIComponent(agent)}`
  return filter === '' ? path : `${path}?${new URLSearchParams({ q: filter })}`
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
