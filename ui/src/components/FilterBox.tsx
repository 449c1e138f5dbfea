import { type KeyboardEvent, useEffect, useRef } from 'react'
import { setFilter } from '../state/place'

/** Narrows the list; `/` comes here from anywhere but a text field or a terminal. */
export function FilterBox({ filter }: { filter: string }) {
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent) => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return
      if (event.target instanceof Element && event.target.closest('input, textarea, dialog')) return
      event.preventDefault()
      input.current?.select()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === 'Escape') setFilter('')
    const first = document.querySelector<HTMLElement>('a.agent')
    if (event.key === 'ArrowDown') first?.focus()
    if (event.key === 'Enter') first?.click()
    if (event.key === 'ArrowDown' || event.key === 'Enter') event.preventDefault()
  }
  return (
    <input
      ref={input}
      type="search"
      className="filter"
      aria-label="Filter agents"
      aria-keyshortcuts="/"
      placeholder="Filter  ( / )"
      autoComplete="off"
      spellCheck={false}
      value={filter}
      onChange={(event) => setFilter(event.target.value)}
      onKeyDown={onKeyDown}
    />
  )
}
