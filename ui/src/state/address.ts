/** Where the user is, as an address: `/agents/NAME?q=FILTER`. Pure. */

export interface Place {
  agent: string | null
  filter: string
}

export function parsePlace(path: string, search: string): Place {
  const name = /^\/agents\/([^/]+)\/?$/.exec(path)?.[1]
  return {
    agent: name === undefined ? null : decoded(name),
    filter: new URLSearchParams(search).get('q') ?? '',
  }
}

export function formatPlace({ agent, filter }: Place): string {
  const path = agent === null ? '/' : `/agents/${encodeURIComponent(agent)}`
  return filter === '' ? path : `${path}?${new URLSearchParams({ q: filter })}`
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
