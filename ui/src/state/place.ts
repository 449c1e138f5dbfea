/** Where the user is, kept in the address. */

import { formatPlace, type Place, parsePlace } from './address'
import { Store, useStore } from './store'

const here = () => parsePlace(location.pathname, location.search)

const store = new Store<Place>(here())

/** Follow the browser's own back and forward. */
export function followHistory(): () => void {
  const follow = () => store.setNow(here())
  window.addEventListener('popstate', follow)
  return () => window.removeEventListener('popstate', follow)
}

export const openAgent = (agent: string | null): void => go({ ...store.get(), agent, approvals: false })

export const openApprovals = (): void => go({ ...store.get(), agent: null, approvals: true })

function go(place: Place): void {
  const address = formatPlace(place)
  if (address !== formatPlace(store.get())) history.pushState(null, '', address)
  store.setNow(place)
}

export function setFilter(filter: string): void {
  const place = { ...store.get(), filter }
  history.replaceState(null, '', formatPlace(place))
  store.setNow(place)
}

export const usePlace = (): Place => useStore(store)
