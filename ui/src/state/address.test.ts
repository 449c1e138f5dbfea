import { expect, test } from 'vitest'
import { formatPlace, parsePlace } from './address'

test.each([
  ['/', { agent: null, filter: '', approvals: false }],
  ['/agents/worker-1', { agent: 'worker-1', filter: '', approvals: false }],
  ['/agents/a.b?q=failed+api', { agent: 'a.b', filter: 'failed api', approvals: false }],
  ['/?q=x%26y', { agent: null, filter: 'x&y', approvals: false }],
  ['/approvals', { agent: null, filter: '', approvals: true }],
])('%s says where the user is', (address, place) => {
  const url = new URL(address, 'http://roost')
  expect(parsePlace(url.pathname, url.search)).toEqual(place)
  expect(parsePlace(...parts(formatPlace(place)))).toEqual(place)
})

test('a path that is none of ours shows the list', () => {
  expect(parsePlace('/agents/', '')).toEqual({ agent: null, filter: '', approvals: false })
  expect(parsePlace('/elsewhere', '')).toEqual({ agent: null, filter: '', approvals: false })
})

test('a name that is wrongly encoded is taken as it stands', () => {
  expect(parsePlace('/agents/%E0%A4', '').agent).toBe('%E0%A4')
})

function parts(address: string): [string, string] {
  const url = new URL(address, 'http://roost')
  return [url.pathname, url.search]
}
