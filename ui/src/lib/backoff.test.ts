import { expect, test } from 'vitest'
import { Backoff } from './backoff'

test('waits double from half a second to ten seconds', () => {
  const backoff = new Backoff()
  expect(Array.from({ length: 7 }, () => backoff.next(0))).toEqual([
    500, 1000, 2000, 4000, 8000, 10_000, 10_000,
  ])
})

test('chance shortens a wait by up to half, never below half a second', () => {
  const backoff = new Backoff()
  expect([backoff.next(0.99), backoff.next(0.99), backoff.next(0.5)]).toEqual([500, 505, 1500])
})

test('after calm the waits start over', () => {
  const backoff = new Backoff()
  for (let attempt = 0; attempt < 9; attempt += 1) backoff.next(0)
  backoff.reset()
  expect(backoff.next(0)).toBe(500)
})
