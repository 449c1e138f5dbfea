import { expect, test } from 'vitest'
import { Outbox } from './outbox'

const text = new TextEncoder()

function outbox(...typed: string[]): Outbox {
  const found = new Outbox('me')
  found.begin('s')
  for (const data of typed) found.add(text.encode(data))
  return found
}

/** Everything that is to be sent now, as number and text. */
function taken(found: Outbox): [number, string][] {
  const frames: [number, string][] = []
  for (let frame = found.take(); frame !== null; frame = found.take()) {
    const seq = Number(new DataView(frame.buffer).getBigUint64(0))
    frames.push([seq, new TextDecoder().decode(frame.subarray(8))])
  }
  return frames
}

test('pieces are numbered from one, and sent once over one connection', () => {
  const found = outbox('a', 'b')
  expect(taken(found)).toEqual([
    [1, 'a'],
    [2, 'b'],
  ])
  expect(taken(found)).toEqual([])
})

test('what is not acknowledged is sent again over the next connection', () => {
  const found = outbox('a', 'b', 'c')
  taken(found)
  found.settle(1)
  found.begin('s')
  expect(taken(found)).toEqual([
    [2, 'b'],
    [3, 'c'],
  ])
})

test('what is typed after an acknowledgement is sent behind what is on its way', () => {
  const found = outbox('a', 'b')
  taken(found)
  found.settle(1)
  found.add(text.encode('c'))
  expect(taken(found)).toEqual([[3, 'c']])
  found.settle(3)
  expect(found.size).toBe(0)
})

test('what was typed at one session is not typed at another', () => {
  const found = outbox('a')
  found.begin('t')
  expect(taken(found)).toEqual([])
})

test('what was typed before the first session is typed at it', () => {
  const found = new Outbox('me')
  found.add(text.encode('early'))
  found.begin('s')
  expect(taken(found)).toEqual([[1, 'early']])
})

test('what is long is cut, and only a window of it is on its way', () => {
  const found = outbox('x'.repeat(400_000))
  expect(taken(found).map(([seq]) => seq)).toEqual([1, 2, 3, 4])
  found.settle(2)
  expect(taken(found).map(([seq]) => seq)).toEqual([5, 6])
})

test('more than can be kept is not taken', () => {
  const found = outbox('x'.repeat(1_100_000))
  expect(found.add(text.encode('y'))).toBe(false)
})

test('pages have ids of their own', () => {
  expect(new Outbox().clientId).toMatch(/^page-[0-9a-f]{24}$/)
  expect(new Outbox().clientId).not.toBe(new Outbox().clientId)
})
