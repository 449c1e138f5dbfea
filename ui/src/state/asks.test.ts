import { expect, test } from 'vitest'
import type { PermissionEvent } from '../api/frames'
import type { ApprovalView } from '../api/types'
import { answerBy, asksAfter, asksFrom, choicesOf, editedInput, questionsOf } from './asks'

const event = (approval_id: string, data: Partial<PermissionEvent['data']> = {}): PermissionEvent =>
  ({
    type: 'permission',
    timestamp: '2026-11-21T06:00:00Z',
    agent_name: 'a',
    session_id: 'a-1',
    data: { approval_id, tool: 'Bash', input: {}, title: 'Running ls', choices: [], kind: 'tool', ...data },
  }) as PermissionEvent

const question = (choices: Record<string, unknown>[], input: Record<string, unknown> = {}): ApprovalView =>
  [...asksAfter(new Map(), event('q', { kind: 'question', choices, input })).values()][0] as ApprovalView

test('what is asked comes and goes with its events', () => {
  const one = asksAfter(asksFrom([]), event('p'))
  expect([...one.keys()]).toEqual(['p'])
  expect(one.get('p')).toMatchObject({ agent_name: 'a', title: 'Running ls', decision: null })
  expect(asksAfter(one, event('p', { decision: 'allow' })).size).toBe(0)
  expect(asksFrom([...one.values()])).toEqual(one)
})

test('questions have their own choices', () => {
  const red = { id: '1.1', label: 'Red', kind: 'answer', question: 'Which?' }
  const now = { id: '2.1', label: 'Now', kind: 'answer', question: 'When?', several: true }
  expect(questionsOf(question([red, now], { questions: [{ question: 'Which?' }, null] }))).toEqual([
    { text: 'Which?', several: false, choices: [red] },
    { text: 'When?', several: true, choices: [now] },
  ])
  const bare = { id: 'x', label: 'X', kind: 'answer' }
  expect(questionsOf(question([bare], { questions: [{ question: 'Which?' }] }))[0]?.choices).toEqual([bare])
})

test('a choice is an answer, a yes, or a no with its reason', () => {
  const yes = { id: 'allow', label: 'Yes', kind: 'allow_once' }
  const no = { id: 'deny', label: 'No', kind: 'deny_once' }
  const tool = [...asksAfter(new Map(), event('p', { choices: [yes, no] })).values()][0] as ApprovalView
  expect(choicesOf(tool)).toEqual([yes, no])
  expect(answerBy(tool, yes, 'unused')).toEqual({ decision: 'allow', choice: 'allow' })
  expect(answerBy(tool, no, 'too much')).toEqual({ decision: 'deny', choice: 'deny', reason: 'too much' })
  expect(answerBy(tool, no, '')).toEqual({ decision: 'deny', choice: 'deny' })
  const red = { id: '1.1', label: 'Red', kind: 'answer', question: 'Which?' }
  expect(answerBy(question([red]), red, '')).toEqual({ decision: 'allow', answers: { 'Which?': 'Red' } })
})

test('an edited input is a JSON object or says what is wrong', () => {
  expect(editedInput('{"a": 1}')).toEqual({ input: { a: 1 } })
  expect(editedInput('[1]')).toEqual({ fault: 'It must be a JSON object.' })
  expect(editedInput('{')).toHaveProperty('fault')
})
