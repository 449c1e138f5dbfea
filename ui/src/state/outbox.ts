/**
 * What was typed and is not yet known to have reached the agent. Every piece has a number and keeps it; the server types
 * each number once, so after a broken connection everything that was not acknowledged is sent again.
 */

const NUMBER_BYTES = 8
const PIECE_BYTES = 65_536
const WINDOW_BYTES = 262_144
const MOST_BYTES = 1_048_576

interface Piece {
  seq: number
  frame: Uint8Array<ArrayBuffer>
}

export class Outbox {
  private pieces: Piece[] = []
  private sessionId: string | null = null
  private last = 0
  /** How many of the pieces were sent over the present connection. */
  private sent = 0

  constructor(readonly clientId: string = randomId()) {}

  /** Bytes that are not acknowledged. */
  get size(): number {
    return this.pieces.reduce((sum, { frame }) => sum + frame.length - NUMBER_BYTES, 0)
  }

  /** Keep what was typed; false when so much waits already that it is not taken. */
  add(bytes: Uint8Array): boolean {
    if (this.size >= MOST_BYTES) return false
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      this.last += 1
      this.pieces.push({ seq: this.last, frame: numbered(this.last, bytes.subarray(at, at + PIECE_BYTES)) })
    }
    return true
  }

  /** Attached anew: everything is to be sent again. What was typed at one session is never typed at another. */
  begin(sessionId: string): void {
    if (this.sessionId !== null && this.sessionId !== sessionId) this.pieces = []
    this.sessionId = sessionId
    this.sent = 0
  }

  /** The next frame to send; null where there is none, or too much is on its way. */
  take(): Uint8Array<ArrayBuffer> | null {
    const piece = this.pieces[this.sent]
    if (piece === undefined || this.onTheWay() >= WINDOW_BYTES) return null
    this.sent += 1
    return piece.frame
  }

  /** All up to this number is typed, or never will be. */
  settle(seq: number): void {
    const left = this.pieces.filter((piece) => piece.seq > seq)
    this.sent = Math.max(0, this.sent - (this.pieces.length - left.length))
    this.pieces = left
  }

  private onTheWay(): number {
    return this.pieces.slice(0, this.sent).reduce((sum, { frame }) => sum + frame.length, 0)
  }
}

function numbered(seq: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(NUMBER_BYTES + bytes.length)
  new DataView(frame.buffer).setBigUint64(0, BigInt(seq))
  frame.set(bytes, NUMBER_BYTES)
  return frame
}

/** Works without https too, unlike `crypto.randomUUID`. */
function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12))
  return `page-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`
}
