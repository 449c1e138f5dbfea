const KEYS: readonly (readonly [label: string, text: string, name: string])[] = [
  ['Esc', '\x1b', 'Escape'],
  ['Tab', '\t', 'Tab'],
  ['^C', '\x03', 'Control C'],
  ['^D', '\x04', 'Control D'],
  ['←', '\x1b[D', 'Left'],
  ['↑', '\x1b[A', 'Up'],
  ['↓', '\x1b[B', 'Down'],
  ['→', '\x1b[C', 'Right'],
  ['⏎', '\r', 'Enter'],
]

/** The keys that a phone's keyboard lacks; shown where fingers point. */
export function TouchKeys({ onKey, hidden }: { onKey: (text: string) => void; hidden: boolean }) {
  return (
    <div className="touchkeys" role="toolbar" aria-label="Keys" hidden={hidden}>
      {KEYS.map(([label, text, name]) => (
        <button
          key={name}
          type="button"
          aria-label={name}
          onPointerDown={(event) => event.preventDefault() /* the screen keyboard stays */}
          onClick={() => onKey(text)}
        >
          {label}
        </button>
      ))}
    </div>
  )
}
