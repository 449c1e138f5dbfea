import { useEffect } from 'react'
import { Store, useStore } from './store'

/** The time in milliseconds, to the second, for everything on the page that says how long ago something was. */
const clock = new Store<number>(Date.now())

let users = 0
let timer: ReturnType<typeof setInterval> | undefined

export function useNow(): number {
  useEffect(() => {
    users += 1
    timer ??= setInterval(() => clock.set(Date.now()), 1000)
    return () => {
      users -= 1
      if (users > 0) return
      clearInterval(timer)
      timer = undefined
    }
  }, [])
  return useStore(clock)
}
