import { expect, test } from 'vitest'
import type { ConversationEventOf } from '../api/frames'
import { afterEvents, emptyTimeline, ITEMS_KEPT, type Item } from './timeline'

const origin = { timestamp: '2026-11-21T06:00:00Z', agent_name: 'a', session_id: 'a-1' }

const event = (type: string, data: Record<string, unknown>): ConversationEventOf =>
  ({ ...origin, type, data }) as unknown as ConversationEventOf

const turn = (state: string, more: Record<string, unknown> = {}) =>
  event('turn', { turn_id: 't', state, ...more })
const said = (text: string, partial = false, message_id = 'm') =>
  event('output', { text, partial, message_id })
const call = (id: string, more: Record<string, unknown> = {}) =>
  event('tool_call', { tool_use_id: id, tool: 'Bash', input: {}, title: 'Running ls', ...more })

const after = (...events: ConversationEventOf[]) => afterEvents(emptyTimeline, events)
const items = (...events: ConversationEventOf[]): Partial<Item>[] =>
  after(...events).items.map(({ key: _, ...item }) => item)

test('a turn goes from its prompt to its end, with what it cost', () => {
  const queued = after(turn('queued', { prompt: 'Fix it', by: 'anna' }))
  expect(queued.waiting).toEqual(['t'])
  const running = afterEvents(queued, [turn('sent'), turn('started')])
  expect([running.waiting, running.running]).toEqual([[], 't'])
  const ended = afterEvents(running, [
    event('usage', { cost_usd: 0.25 }),
    event('usage', { cost_usd: 0.5 }),
    event('usage', {}),
    turn('completed', { duration_ms: 1200 }),
  ])
  expect(ended.running).toBeNull()
  expect(ended.items).toMatchObject([
    { kind: 'prompt', text: 'Fix it', by: 'anna', state: 'completed' },
    { kind: 'end', text: 'Completed', tone: 'ok', cost: 0.75, ms: 1200 },
  ])
})

test.each([
  ['failed', { duration_ms: 5, reason: 'no credit' }, 'Failed: no credit', 'bad'],
  ['interrupted', { duration_ms: 5 }, 'Interrupted', 'warn'],
  ['refused', { reason: 'full' }, 'The prompt was refused: full', 'bad'],
  ['cancelled', {}, 'The prompt was taken back', 'warn'],
])('a turn that is %s says so', (state, data, text, tone) => {
  expect(items(turn('queued', { prompt: 'x' }), turn(state, data)).at(-1)).toMatchObject({ text, tone })
})

test('a steered prompt has no end of its own', () => {
  expect(items(turn('queued', { prompt: 'x' }), turn('steered'))).toMatchObject([
    { kind: 'prompt', state: 'steered' },
  ])
})

test('pieces of a message grow it, and the whole replaces them', () => {
  const pieces = [said('Hel', true), said('lo', true)]
  expect(items(...pieces)).toMatchObject([{ kind: 'said', text: 'Hello', partial: true }])
  expect(items(...pieces, said('Hello!'), said('And more'))).toMatchObject([
    { text: 'Hello!', partial: false },
    { text: 'And more' },
  ])
  expect(items(said('  '))).toEqual([])
})

test('a call has its result, its decision and its changes', () => {
  const found = items(
    call('1', { parent_tool_use_id: '0' }),
    call('2', { title: '' }),
    event('permission', { approval_id: 'p', tool_use_id: '2', title: 'x' }),
    event('permission', {
      approval_id: 'p',
      tool_use_id: '2',
      title: 'x',
      decision: 'deny',
      by: 'anna',
      reason: 'no',
    }),
    event('tool_result', { tool_use_id: '1', content: 'out', is_error: false, duration_ms: 7 }),
    event('tool_result', { tool_use_id: '2', content: 'denied', is_error: true }),
    event('file_change', { path: 'a.py', change: 'modified', added: 2, removed: 1, tool_use_id: '1' }),
    event('file_change', { path: 'b.py', change: 'deleted' }),
  )
  expect(found).toMatchObject([
    { kind: 'call', nested: true, result: { text: 'out', failed: false, ms: 7 }, files: [{ path: 'a.py' }] },
    { title: 'Bash', decided: { text: 'Denied by anna: no', allowed: false }, result: { failed: true } },
    { kind: 'file', file: { path: 'b.py', added: null } },
  ])
})

test('what a watcher saw is told where the agent did not tell of it itself', () => {
  const seen = (path: string) => event('file_change', { path, change: 'modified', source: 'watcher' })
  const own = event('file_change', { path: 'a.py', change: 'modified', tool_use_id: '1', source: 'protocol' })
  const first = [turn('queued', { prompt: 'x' }), call('1'), own, seen('a.py'), seen('b.py'), seen('b.py')]
  expect(items(...first).map((item) => item.kind)).toEqual(['prompt', 'call', 'file'])
  expect(items(...first, turn('queued', { prompt: 'y' }), seen('a.py')).at(-1)).toMatchObject({
    kind: 'file',
  })
})

test('a call that is told again is the same call', () => {
  expect(items(call('1'), call('1', { input: { a: 1 }, title: '' }))).toMatchObject([
    { title: 'Running ls', input: { a: 1 } },
  ])
})

test('what was edited before it was allowed is told', () => {
  const found = items(
    call('1'),
    event('permission', {
      approval_id: 'p',
      tool_use_id: '1',
      kind: 'tool',
      decision: 'allow',
      by: 'anna',
      details: { input: { command: 'ls' } },
    }),
  )
  expect(found).toMatchObject([{ decided: { text: 'Allowed by anna, edited to {"command":"ls"}' } }])
})

test('a call that an interrupt cut off says so', () => {
  const result = (details: object) => event('tool_result', { tool_use_id: '1', is_error: true, details })
  const cut = (details: object) =>
    (items(call('1'), result(details))[0] as { result: { cut: boolean } }).result.cut
  expect([{ interrupted: true }, { denied_as: 'user-rejected' }, { denied: true }].map(cut)).toEqual([
    true,
    true,
    false,
  ])
})

test("an agent's own telemetry is left out", () => {
  expect(items(event('notice', { code: 'TELEMETRY', message: 'api_request' }))).toEqual([])
})

test('decisions about no call, notices, errors and ends are notes', () => {
  const found = items(
    event('permission', { approval_id: 'p', title: 'Plan', decision: 'allow' }),
    event('permission', { approval_id: 'q', title: 'Plan', decision: 'withdrawn' }),
    event('notice', { code: 'RETRY', message: '' }),
    event('error', { code: 'X', message: 'broken' }),
    event('log', { line: 'a warning', stream: 'stderr' }),
    event('unknown', { line: '{}' }),
    event('complete', { exit_code: 3, signal: null }),
    event('complete', { exit_code: null, signal: 'SIGKILL' }),
    event('complete', { exit_code: null, signal: null }),
    event('conversation', {}),
  )
  expect(found.map((item) => (item as { text: string }).text)).toEqual([
    'Plan: Allowed',
    'Plan: No longer asked',
    'RETRY',
    'broken',
    'a warning',
    '{}',
    'The agent ended with exit code 3.',
    'The agent was ended by SIGKILL.',
    'The agent ended.',
  ])
})

test('the newest plan stands beside the conversation', () => {
  const data = { done: 1, total: 2, items: [{ text: 'look', state: 'done' }, {}] }
  expect(after(event('progress', data)).plan).toMatchObject({
    done: 1,
    items: [
      { text: 'look', state: 'done' },
      { text: '', state: '' },
    ],
  })
})

test('old things are let go and counted', () => {
  const many = Array.from({ length: ITEMS_KEPT * 1.25 + 1 }, (_, number) => said(`${number}`))
  const timeline = after(...many)
  expect([timeline.items.length, timeline.count]).toEqual([ITEMS_KEPT, many.length])
})
