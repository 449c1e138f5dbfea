import { expect, test } from 'vitest'
import { ago, bytes, commandLine, dollars, duration, ending, percent, span } from './format'

test.each([
  [-3, '0 s'],
  [8.9, '8 s'],
  [60, '1 min'],
  [3599, '59 min'],
  [3600, '1 h'],
  [7500, '2 h 5 min'],
  [200_000, '2 d'],
])('%d seconds are read as %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text)
})

test('a moment is so long ago, now, or unknown', () => {
  const now = Date.parse('2026-11-21T06:00:10Z')
  expect(ago('2026-11-21T06:00:00Z', now)).toBe('10 s ago')
  expect(ago('2026-11-21T06:00:09.500Z', now)).toBe('now')
  expect(ago('2026-11-21T06:00:15Z', now)).toBe('now')
  expect(ago(null, now)).toBe('–')
})

test.each([
  [null, '–'],
  [0, '0 %'],
  [0.34, '0.3 %'],
  [99.6, '100 %'],
  [250, '250 %'],
])('a share of %s is read as %s', (value, text) => {
  expect(percent(value)).toBe(text)
})

test.each([
  [null, '–'],
  [0, '0 B'],
  [1023, '1023 B'],
  [1536, '1.5 KiB'],
  [52_428_800, '50 MiB'],
])('%s bytes are read as %s', (value, text) => {
  expect(bytes(value)).toBe(text)
})

test('a session ended with a code, by a signal, or nobody knows', () => {
  expect(ending(3, null)).toBe('exit 3')
  expect(ending(null, 'SIGKILL')).toBe('SIGKILL')
  expect(ending(null, null)).toBe('–')
})

test('a command can be pasted into a shell', () => {
  expect(commandLine(['bash', '-c', "echo 'hi'; ls"])).toBe(`bash -c 'echo '\\''hi'\\''; ls'`)
  expect(commandLine(['make', ''])).toBe("make ''")
})

test.each([
  [null, ''],
  [40, '40 ms'],
  [3210, '3.2 s'],
  [125_000, '2 min'],
])('%s ms took %s', (ms, text) => {
  expect(span(ms)).toBe(text)
})

test.each([
  [null, ''],
  [0.04, '$0.0400'],
  [12.5, '$12.50'],
])('%s dollars are %s', (usd, text) => {
  expect(dollars(usd)).toBe(text)
})
