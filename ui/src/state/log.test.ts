import { expect, test } from 'vitest'
import { afterEvents, emptyLog, LINES_KEPT, type SessionEvent } from './log'

const origin = { timestamp: '2026-11-21T06:00:00Z', agent_name: 'a', session_id: 'a-1' }

const line = (text: string, stream: 'stdout' | 'stderr' = 'stdout'): SessionEvent => ({
  ...origin,
  type: 'log',
  data: { line: text, line_num: 1, stream },
})

test('lines are numbered over both streams and keep which one they came from', () => {
  const log = afterEvents(emptyLog, [line('one'), line('two', 'stderr')])
  expect(log.lines).toEqual([
    { number: 1, text: 'one', kind: 'stdout' },
    { number: 2, text: 'two', kind: 'stderr' },
  ])
})

test('the end of a session and errors are notes among the lines', () => {
  const ended = (exit_code: number | null, signal: string | null): SessionEvent => ({
    ...origin,
    type: 'complete',
    data: { exit_code, signal, duration_ms: 1, reason: null },
  })
  const error: SessionEvent = { ...origin, type: 'error', data: { code: 'X', message: 'a gap', details: {} } }
  const log = afterEvents(emptyLog, [error, ended(3, null), ended(null, 'SIGKILL'), ended(null, null)])
  expect(log.lines.map(({ text }) => text)).toEqual([
    'a gap',
    'Ended with exit code 3.',
    'Ended by SIGKILL.',
    'Ended.',
  ])
  expect(new Set(log.lines.map(({ kind }) => kind))).toEqual(new Set(['note']))
})

test('state changes and screens are no lines', () => {
  const state: SessionEvent = {
    ...origin,
    type: 'state',
    data: { state: 'paused', previous: null, reason: null },
  }
  const screen: SessionEvent = { ...origin, type: 'screen', data: { text: 'x', cols: 1, rows: 1, title: '' } }
  expect(afterEvents(emptyLog, [state, screen])).toEqual(emptyLog)
})

test('only the newest lines are kept, all are counted', () => {
  const many = Array.from({ length: LINES_KEPT * 2 }, (_, index) => line(String(index)))
  const log = afterEvents(emptyLog, many)
  expect(log.count).toBe(LINES_KEPT * 2)
  expect(log.lines.length).toBe(LINES_KEPT)
  expect(log.lines.at(-1)).toEqual({
    number: LINES_KEPT * 2,
    text: String(LINES_KEPT * 2 - 1),
    kind: 'stdout',
  })
})
