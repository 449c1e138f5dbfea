import { useEffect, useRef } from 'react'

interface Props {
  question: string
  consequence: string
  verb: string
  onAnswer: (yes: boolean) => void
}

/** Asks before something that cannot be undone. */
export function Confirm({ question, consequence, verb, onAnswer }: Props) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog ref={dialog} aria-labelledby="confirm-title" onCancel={() => onAnswer(false)}>
      <h2 id="confirm-title">{question}</h2>
      <p>{consequence}</p>
      <div className="row end">
        <button type="button" onClick={() => onAnswer(false)}>
          Cancel
        </button>
        <button type="button" className="danger" onClick={() => onAnswer(true)}>
          {verb}
        </button>
      </div>
    </dialog>
  )
}
