/** Figures as people read them. */

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Seconds as the one or two units that matter: `8 s`, `3 min`, `2 h 5 min`, `4 d`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  if (whole < MINUTE) return `${whole} s`
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)} min`
  if (whole >= DAY) return `${Math.floor(whole / DAY)} d`
  const minutes = Math.floor((whole % HOUR) / MINUTE)
  return `${Math.floor(whole / HOUR)} h${minutes ? ` ${minutes} min` : ''}`
}

/** How long ago a moment was, by a clock in milliseconds; `–` where there is none. */
export function ago(moment: string | null, nowMs: number): string {
  if (moment === null) return '–'
  const seconds = (nowMs - Date.parse(moment)) / 1000
  return seconds < 2 ? 'now' : `${duration(seconds)} ago`
}

export function percent(value: number | null): string {
  if (value === null) return '–'
  return value > 0 && value < 10 ? `${value.toFixed(1)} %` : `${Math.round(value)} %`
}

export function bytes(value: number | null): string {
  if (value === null) return '–'
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const step = value < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10))
  const scaled = value / 1024 ** step
  return `${scaled < 10 && step > 0 ? scaled.toFixed(1) : Math.round(scaled)} ${units[step]}`
}

/** How a session ended: its exit code, or the signal that ended it. */
export function ending(exitCode: number | null, signal: string | null): string {
  if (signal !== null) return signal
  return exitCode === null ? '–' : `exit ${exitCode}`
}

/** A command as it would be typed; arguments with anything but plain characters are quoted. */
export function commandLine(command: string[]): string {
  return command
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ')
}

/** How long something took, in milliseconds: `40 ms`, `3.2 s`, `5 min`. */
export function span(ms: number | null): string {
  if (ms === null) return ''
  if (ms < 1000) return `${Math.round(ms)} ms`
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : duration(ms / 1000)
}

export function dollars(usd: number | null): string {
  if (usd === null) return ''
  return `$${usd.toFixed(usd >= 1 ? 2 : 4)}`
}
