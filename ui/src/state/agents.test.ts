import { expect, test } from 'vitest'
import type { CompleteEvent, StateEvent } from '../api/frames'
import type { AgentView } from '../api/types'
import { afterEvent, fromList, grouped, waiting } from './agents'

function agent(name: string, part: Partial<AgentView> = {}): AgentView {
  return {
    name,
    state: 'running',
    reason: null,
    session_id: `${name}-1`,
    driver: 'terminal',
    command: ['bash'],
    cwd: '/home/me',
    node: 'here',
    pid: 7,
    terminal: true,
    cols: 80,
    rows: 24,
    started_at: '2026-11-21T06:00:00Z',
    ended_at: null,
    uptime_s: 5,
    exit_code: null,
    signal: null,
    cpu_percent: 1,
    memory_bytes: 1000,
    last_output_at: null,
    viewers: 0,
    attention: null,
    attention_kind: 'works',
    attention_since: null,
    doing: null,
    urgency: 13,
    conversation: null,
    ...part,
  }
}

function stateEvent(name: string, data: Partial<StateEvent['data']>, session_id = `${name}-1`): StateEvent {
  return {
    type: 'state',
    timestamp: '2026-11-21T06:01:00Z',
    agent_name: name,
    session_id,
    data: { state: 'running', previous: null, reason: null, ...data },
  }
}

const titles = (list: AgentView[], filter = '') =>
  grouped(list, filter).map((group) => [group.title, ...group.agents.map((each) => each.name)])

test('those that need somebody come first, then what failed, and the ended last', () => {
  const list = [
    agent('done', { state: 'exited' }),
    agent('worker'),
    agent('lost', { state: 'lost' }),
    agent('asks', { state: 'waiting' }),
    agent('broken', { state: 'failed' }),
    agent('stuck', { attention: 'Allow Bash?' }),
    agent('resting', { state: 'paused' }),
  ]
  expect(titles(list)).toEqual([
    ['Need you', 'asks', 'stuck'],
    ['Failed', 'broken', 'lost'],
    ['Running', 'resting', 'worker'],
    ['Ended', 'done'],
  ])
})

test('numbers in names count as numbers', () => {
  expect(titles([agent('w-10'), agent('w-9'), agent('w-1')])).toEqual([['Running', 'w-1', 'w-9', 'w-10']])
})

test('of the ended the newest comes first', () => {
  const list = [
    agent('old', { state: 'exited', ended_at: '2026-11-20T00:00:00Z' }),
    agent('new', { state: 'exited', ended_at: '2026-11-21T00:00:00Z' }),
    agent('b', { state: 'exited' }),
    agent('a', { state: 'exited' }),
  ]
  expect(titles(list)).toEqual([['Ended', 'new', 'old', 'a', 'b']])
})

test('every word of a filter must be found in name, state, directory, driver or command', () => {
  const list = [
    agent('api', { cwd: '/src/API' }),
    agent('web', { command: ['npm', 'test'] }),
    agent('db', { state: 'paused' }),
  ]
  expect(titles(list, 'api')).toEqual([['Running', 'api']])
  expect(titles(list, ' NPM  running ')).toEqual([['Running', 'web']])
  expect(titles(list, 'paused')).toEqual([['Running', 'db']])
  expect(titles(list, 'nothing')).toEqual([])
})

test('a state event changes its agent and leaves the others as they are', () => {
  const agents = fromList([agent('a'), agent('b')])
  const after = afterEvent(agents, stateEvent('a', { state: 'waiting', reason: 'Allow Bash?' }))
  expect(after?.get('a')).toMatchObject({ state: 'waiting', reason: 'Allow Bash?', attention: 'Allow Bash?' })
  expect(after?.get('b')).toBe(agents.get('b'))
  expect(waiting(after ?? agents)).toBe(1)
})

test('of those that need somebody the most urgent comes first', () => {
  const list = [
    agent('a-stuck', { attention: 'stuck: Running npm test', urgency: 8 }),
    agent('b-asks', { state: 'waiting', urgency: 0 }),
    agent('c-asks', { state: 'waiting', urgency: 0 }),
  ]
  expect(titles(list)).toEqual([['Need you', 'b-asks', 'c-asks', 'a-stuck']])
})

test('an agent that goes on no longer asks for attention', () => {
  const agents = fromList([agent('a', { state: 'waiting', attention: 'Allow Bash?' })])
  expect(afterEvent(agents, stateEvent('a', { state: 'running' }))?.get('a')?.attention).toBeNull()
})

test('a waiting agent keeps what it waits for where an event gives no reason', () => {
  const agents = fromList([agent('a', { attention: 'Allow Bash?' })])
  expect(afterEvent(agents, stateEvent('a', { state: 'waiting' }))?.get('a')?.attention).toBe('Allow Bash?')
})

test('a state event that ends a session dates its end', () => {
  const agents = fromList([agent('a')])
  const after = afterEvent(agents, stateEvent('a', { state: 'failed' }))
  expect(after?.get('a')?.ended_at).toBe('2026-11-21T06:01:00Z')
})

test('a complete event brings exit code and duration, and ends the figures of a live process', () => {
  const event: CompleteEvent = {
    type: 'complete',
    timestamp: '2026-11-21T06:02:00Z',
    agent_name: 'a',
    session_id: 'a-1',
    data: { exit_code: 2, signal: null, duration_ms: 90_500, reason: 'exited' },
  }
  expect(afterEvent(fromList([agent('a')]), event)?.get('a')).toMatchObject({
    exit_code: 2,
    uptime_s: 90.5,
    cpu_percent: null,
    ended_at: '2026-11-21T06:02:00Z',
  })
})

test('an event of an unknown agent or session asks for the whole list', () => {
  const agents = fromList([agent('a')])
  expect(afterEvent(agents, stateEvent('b', {}))).toBeNull()
  expect(afterEvent(agents, stateEvent('a', {}, 'a-2'))).toBeNull()
})

test('an ended agent needs nobody', () => {
  expect(waiting(fromList([agent('a', { state: 'exited', attention: 'Allow Bash?' })]))).toBe(0)
})
