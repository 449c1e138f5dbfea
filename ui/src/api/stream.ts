/** Live connections: they reconnect by themselves, and say at every moment how they stand. */

import { Backoff } from '../lib/backoff'

export type Link =
  | { phase: 'connecting' }
  | { phase: 'open' }
  | { phase: 'waiting'; retryAtMs: number }
  | { phase: 'resting' }
  | { phase: 'closed' }

export interface Connection {
  close(): void
  /** Try at once instead of waiting. */
  retry(): void
}

/** What a line reports to whoever keeps it: it opened, it broke, or it ended for good. */
interface Line {
  opened(): void
  lost(): void
  ended(): void
}

/** Opens a line; the answer hangs it up. */
type Dial = (line: Line) => () => void

const CALM_MS = 1000
const SILENCE_MS = 45_000 // the server pings every 15 s
const WAKE_CHECK_MS = 5000
const HIDDEN_GRACE_MS = 30_000

interface Keeping {
  report(link: Link): void
  /** Hang up while the page is hidden: browsers allow six connections to a server, over all tabs. */
  rests: boolean
}

/** Keep a line open until closed, with growing waits between attempts. */
function keepConnected(dial: Dial, { report, rests }: Keeping): Connection {
  const backoff = new Backoff()
  let hangUp = () => {}
  let timer: ReturnType<typeof setTimeout> | undefined
  let current = 0
  let over = false
  let resting = false

  function drop(link: Link): void {
    current += 1
    clearTimeout(timer)
    hangUp()
    hangUp = () => {}
    report(link)
  }

  function end(): void {
    over = true
    stopWatching()
    drop({ phase: 'closed' })
  }

  function attempt(): void {
    if (over) return
    resting = false
    drop({ phase: 'connecting' })
    const mine = current
    const guarded = (act: () => void) => () => {
      if (mine === current) act()
    }
    hangUp = dial({
      opened: guarded(() => {
        report({ phase: 'open' })
        timer = setTimeout(() => backoff.reset(), CALM_MS)
      }),
      lost: guarded(() => {
        const wait = backoff.next()
        drop({ phase: 'waiting', retryAtMs: Date.now() + wait })
        timer = setTimeout(attempt, wait)
      }),
      ended: guarded(end),
    })
  }

  const stopWatching = watchPage({
    back: attempt,
    away() {
      resting = rests
      if (resting) drop({ phase: 'resting' })
    },
    seen() {
      if (resting) attempt()
    },
  })
  attempt()
  return { close: end, retry: attempt }
}

interface PageWatcher {
  /** The network is there again, or the machine has slept: what was open then is dead. */
  back(): void
  /** The page has been hidden for a while. */
  away(): void
  /** The page is seen again. */
  seen(): void
}

function watchPage({ back, away, seen }: PageWatcher): () => void {
  let last = Date.now()
  let leaving: ReturnType<typeof setTimeout> | undefined
  const waking = setInterval(() => {
    const slept = Date.now() - last > SILENCE_MS && !document.hidden
    last = Date.now()
    if (slept) back()
  }, WAKE_CHECK_MS)
  const onVisibility = () => {
    clearTimeout(leaving)
    if (document.hidden) leaving = setTimeout(away, HIDDEN_GRACE_MS)
    else seen()
  }
  window.addEventListener('online', back)
  document.addEventListener('visibilitychange', onVisibility)
  return () => {
    clearInterval(waking)
    clearTimeout(leaving)
    window.removeEventListener('online', back)
    document.removeEventListener('visibilitychange', onVisibility)
  }
}

export interface EventStream {
  /** Address of the stream, for the position after which to go on; null at first. */
  url(after: string | null): string
  types: readonly string[]
  onEvent(event: unknown): void
  onLink(link: Link): void
  /** Whether the stream is over once this event has come. */
  isLast?(type: string): boolean
}

/** Server-Sent Events, resumed exactly after the last event that came. */
export function eventStream(stream: EventStream): Connection {
  let after: string | null = null
  const dial: Dial = (line) => {
    const source = new EventSource(stream.url(after))
    let silence = setTimeout(line.lost, SILENCE_MS)
    const alive = () => {
      clearTimeout(silence)
      silence = setTimeout(line.lost, SILENCE_MS)
    }
    source.onopen = line.opened
    source.onerror = (event) => {
      if (!(event instanceof MessageEvent)) line.lost()
    }
    const receive = ({ type, data, lastEventId }: MessageEvent) => {
      if (lastEventId) after = lastEventId
      stream.onEvent(JSON.parse(data))
      if (stream.isLast?.(type)) line.ended()
    }
    listen(source, ['connected', 'ping', ...stream.types], alive)
    listen(source, stream.types, receive)
    return () => {
      clearTimeout(silence)
      source.close()
    }
  }
  return keepConnected(dial, { report: stream.onLink, rests: true })
}

/** Events called `error` come from the server as messages, and from the browser when the connection breaks. */
function listen(
  source: EventSource,
  types: readonly string[],
  receive: (message: MessageEvent) => void,
): void {
  for (const type of types) {
    source.addEventListener(type, (event: Event) => {
      if (event instanceof MessageEvent) receive(event)
    })
  }
}

export interface Socket {
  path: string
  onText(frame: unknown): void
  onBytes(bytes: Uint8Array): void
  onLink(link: Link): void
}

export interface SocketConnection extends Connection {
  /** Sends, and says whether the socket was open. */
  send(data: string | Uint8Array<ArrayBuffer>): boolean
}

/** A WebSocket of this server. */
export function socket({ path, onText, onBytes, onLink }: Socket): SocketConnection {
  let open: WebSocket | null = null
  const dial: Dial = (line) => {
    const connecting = new WebSocket(
      `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${path}`,
    )
    connecting.binaryType = 'arraybuffer'
    connecting.onopen = () => {
      open = connecting
      line.opened()
    }
    connecting.onmessage = ({ data }) => {
      if (typeof data === 'string') onText(JSON.parse(data))
      else onBytes(new Uint8Array(data))
    }
    connecting.onclose = line.lost
    return () => {
      open = null
      connecting.onmessage = null
      connecting.close()
    }
  }
  const connection = keepConnected(dial, { report: onLink, rests: false })
  return {
    ...connection,
    send(data) {
      if (open?.readyState !== WebSocket.OPEN) return false
      open.send(data)
      return true
    },
  }
}
