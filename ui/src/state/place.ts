/** Where the user is, kept in the address: `/agents/NAME?q=FILTER`. */

import { Store, useStore } from './store'

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

const here = () => parsePlace(location.pathname, location.search)

const store = new Store<Place>(here())

/** Follow the browser's own back and forward. */
export function followHistory(): () => void {
  const follow = () => store.setNow(here())
  window.addEventListener('popstate', follow)
  return () => window.removeEventListener('popstate', follow)
}

export function openAgent(agent: string | null): void {
  const place = { ...store.get(), agent }
  if (place.agent !== store.get().agent) history.pushState(null, '', formatPlace(place))
  store.setNow(place)
}

export function setFilter(filter: string): void {
  const place = { ...store.get(), filter }
  history.replaceState(null, '', formatPlace(place))
  store.setNow(place)
}

export const usePlace = (): Place => useStore(store)
