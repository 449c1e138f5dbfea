/** Waiting times between attempts to connect: they double from 0.5 s to 10 s, each shortened at random by up to half. */
export class Backoff {
  private attempts = 0

  /** Milliseconds until the next attempt; `random` is in [0, 1). */
  next(random: number = Math.random()): number {
    const longest = Math.min(10_000, 500 * 2 ** this.attempts)
    this.attempts += 1
    return Math.max(500, Math.round(longest * (1 - random / 2)))
  }

  /** Start over: the connection has held for a while. */
  reset(): void {
    this.attempts = 0
  }
}
