import { expect, test } from 'vitest'
import type { AttachFrame, Viewer } from '../api/frames'
import { type Attachment, afterFrame, others, roomIsDue } from './attachment'

const me: Viewer = { id: 'me', name: 'page', since: '2026-11-21T06:00:00Z' }
const her: Viewer = { id: 'her', name: 'terminal', since: '2026-11-21T06:01:00Z' }
const hello: AttachFrame = {
  type: 'attached',
  agent: 'a',
  data: { session_id: 's', cols: 80, rows: 24, viewers: [me], you: 'me', owner: 'me', state: 'running' },
}

const after = (...frames: AttachFrame[]) => frames.reduce<Attachment | null>(afterFrame, null)

test('nothing is known before the server says that we are attached', () => {
  expect(after({ type: 'size', agent: 'a', data: { cols: 10, rows: 10 } })).toBeNull()
})

test('who else looks and whose size holds follow the server', () => {
  const attachment = after(hello, { type: 'viewers', agent: 'a', data: { viewers: [me, her], owner: 'her' } })
  expect(attachment && others(attachment)).toEqual([her])
  expect(attachment?.owner).toBe('her')
})

test('the size follows the server', () => {
  expect(after(hello, { type: 'size', agent: 'a', data: { cols: 120, rows: 40 } })).toMatchObject({
    cols: 120,
    rows: 40,
  })
})

test('skipped bytes add up', () => {
  const skipped: AttachFrame = { type: 'skipped', agent: 'a', data: { bytes: 500 } }
  expect(after(hello, skipped, skipped)?.skipped).toBe(1000)
})

test('what the server refuses is kept to be shown', () => {
  expect(after(hello, { type: 'error', code: 'FORBIDDEN', message: 'You may only look.' })?.refusal).toBe(
    'You may only look.',
  )
})

test('other frames change nothing', () => {
  const attachment = after(hello)
  const status: AttachFrame = { type: 'status', agent: 'a', data: { state: 'paused' } }
  expect(afterFrame(attachment, status)).toBe(attachment)
})

test('attaching anew forgets what was', () => {
  const attachment = after(hello, { type: 'skipped', agent: 'a', data: { bytes: 5 } }, hello)
  expect(attachment?.skipped).toBe(0)
})

test('our size is due for each session and when our window becomes the one that counts', () => {
  const first = after(hello)
  const hers = after(hello, { type: 'viewers', agent: 'a', data: { viewers: [me, her], owner: 'her' } })
  const next = after({ ...hello, data: { ...hello.data, session_id: 't' } })
  expect(roomIsDue(null, first)).toBe(true)
  expect(roomIsDue(first, hers)).toBe(false)
  expect(roomIsDue(hers, first)).toBe(true)
  expect(roomIsDue(first, next)).toBe(true)
  expect(roomIsDue(first, null)).toBe(false)
})
