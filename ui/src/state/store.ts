import { useSyncExternalStore } from 'react'

const FRAME_AT_MOST_MS = 250

/** A value that components follow. However often it changes, they hear of it once a frame. */
export class Store<Value> {
  private readonly followers = new Set<() => void>()
  private scheduled = false

  constructor(private value: Value) {}

  readonly get = (): Value => this.value

  readonly subscribe = (follower: () => void): (() => void) => {
    this.followers.add(follower)
    return () => this.followers.delete(follower)
  }

  /** Change the value; it is painted with the next frame. */
  set(value: Value): void {
    if (Object.is(value, this.value)) return
    this.value = value
    if (this.scheduled) return
    this.scheduled = true
    nextFrame(() => {
      this.scheduled = false
      this.tell()
    })
  }

  /** Change the value and paint at once, for what the user did. */
  setNow(value: Value): void {
    if (Object.is(value, this.value)) return
    this.value = value
    this.tell()
  }

  private tell(): void {
    for (const follower of this.followers) follower()
  }
}

/** A hidden page has no frames, but its title still counts. */
function nextFrame(act: () => void): void {
  const frame = requestAnimationFrame(() => {
    clearTimeout(timer)
    act()
  })
  const timer = setTimeout(() => {
    cancelAnimationFrame(frame)
    act()
  }, FRAME_AT_MOST_MS)
}

export function useStore<Value>(store: Store<Value>): Value {
  return useSyncExternalStore(store.subscribe, store.get)
}
