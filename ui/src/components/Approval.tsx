import { type FormEvent, type KeyboardEvent, useId, useState } from 'react'
import { ApiError, decide } from '../api/client'
import type { ApprovalView, Choice, DecisionBody } from '../api/types'
import { ago } from '../lib/format'
import { answerBy, choicesOf, editedInput, questionsOf } from '../state/asks'
import { useNow } from '../state/clock'
import { openAgent } from '../state/place'
import { InputOf } from './InputOf'

interface Props {
  approval: ApprovalView
  mayAnswer: boolean
  /** Whether it stands among those of other agents, so that it must say whose it is. */
  ofMany?: boolean
}

/** What an agent asks, with everything that can be answered. */
export function Approval({ approval, mayAnswer, ofMany = false }: Props) {
  const answering = useAnswering(approval)
  const heading = useId()
  const now = useNow()
  return (
    <article className="approval" aria-labelledby={heading} tabIndex={-1} onKeyDown={answerByKey}>
      <header>
        <h2 id={heading}>{approval.title || approval.tool}</h2>
        <span className="since">
          {ofMany && (
            <a href={`/agents/${approval.agent_name}`} onClick={toAgent(approval.agent_name)}>
              {approval.agent_name}
            </a>
          )}{' '}
          {ago(approval.asked_at, now)}
        </span>
      </header>
      {approval.kind === 'question' ? (
        <Questions approval={approval} answering={answering} mayAnswer={mayAnswer} />
      ) : (
        <Permission approval={approval} answering={answering} mayAnswer={mayAnswer} />
      )}
      {answering.failure && (
        <p role="alert" className="failure">
          {answering.failure.message} {answering.failure.hint}
        </p>
      )}
    </article>
  )
}

interface Answering {
  busy: boolean
  failure: ApiError | null
  answer: (body: DecisionBody) => Promise<void>
}

function useAnswering({ approval_id }: ApprovalView): Answering {
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<ApiError | null>(null)
  const answer = async (body: DecisionBody) => {
    setBusy(true)
    setFailure(null)
    try {
      await decide(approval_id, body)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      setFailure(error)
      setBusy(false)
    }
  }
  return { busy, failure, answer }
}

interface PartProps {
  approval: ApprovalView
  answering: Answering
  mayAnswer: boolean
}

/** Whether a tool may run, or a plan is good. */
function Permission({ approval, answering, mayAnswer }: PartProps) {
  const [draft, setDraft] = useState<string | null>(null)
  const [reason, setReason] = useState('')
  const [remember, setRemember] = useState(false)
  const remembered = remember ? { remember } : {}
  return (
    <>
      {draft === null ? (
        <InputOf tool={approval.tool} input={approval.input} />
      ) : (
        <EditedInput draft={draft} setDraft={setDraft} answering={answering} />
      )}
      {mayAnswer && (
        <div className="answers">
          {draft === null &&
            choicesOf(approval).map((choice) => (
              <ChoiceButton
                key={choice.id}
                choice={choice}
                disabled={answering.busy}
                onClick={() =>
                  answering.answer({ ...answerBy(approval, choice, reason.trim()), ...remembered })
                }
              />
            ))}
          {draft === null && Object.keys(approval.input).length > 0 && (
            <button
              type="button"
              className="quiet"
              onClick={() => setDraft(JSON.stringify(approval.input, null, 2))}
            >
              Edit
            </button>
          )}
          {draft === null && (
            <input
              className="reason"
              aria-label="What to tell the agent with a no"
              placeholder="With a no: why, or what to do instead"
              autoComplete="off"
              value={reason}
              onChange={(event) => setReason(event.target.value)}
            />
          )}
          {draft === null && approval.kind === 'tool' && (
            <label className="remember">
              <input
                type="checkbox"
                checked={remember}
                onChange={(event) => setRemember(event.target.checked)}
              />
              Remember the answer for this directory
            </label>
          )}
        </div>
      )}
    </>
  )
}

function ChoiceButton({
  choice,
  disabled,
  onClick,
}: {
  choice: Choice
  disabled: boolean
  onClick: () => void
}) {
  const denies = choice.kind.startsWith('deny')
  return (
    <button
      type="button"
      className={denies ? 'danger' : choice.kind === 'allow_once' ? 'primary' : ''}
      data-key={denies ? 'n' : choice.kind === 'allow_once' ? 'y' : undefined}
      title={choice.description || undefined}
      disabled={disabled}
      onClick={onClick}
    >
      {choice.label}
    </button>
  )
}

function EditedInput({
  draft,
  setDraft,
  answering,
}: {
  draft: string
  setDraft: (draft: string | null) => void
  answering: Answering
}) {
  const edited = editedInput(draft)
  const fault = 'fault' in edited ? edited.fault : null
  return (
    <div className="edit">
      <textarea
        className="mono"
        aria-label="The tool's input as JSON"
        aria-invalid={fault !== null}
        spellCheck={false}
        rows={Math.min(16, draft.split('\n').length + 1)}
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
      />
      {fault !== null && <p className="failure">{fault}</p>}
      <div className="answers">
        <button
          type="button"
          className="primary"
          disabled={answering.busy || fault !== null}
          onClick={() => 'input' in edited && answering.answer({ decision: 'allow', input: edited.input })}
        >
          Allow with these changes
        </button>
        <button type="button" onClick={() => setDraft(null)}>
          Back
        </button>
      </div>
    </div>
  )
}

/** Questions, answered by choices, or in words of one's own. */
function Questions({ approval, answering, mayAnswer }: PartProps) {
  const questions = questionsOf(approval)
  const [alone] = questions
  const atOnce = questions.length === 1 && alone !== undefined && !alone.several
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const answers: Record<string, string> = {}
    questions.forEach(({ text }, at) => {
      const words = [...form.getAll(`choice-${at}`), form.get(`own-${at}`)].map(String)
      const said = words.map((word) => word.trim()).filter((word) => word !== '' && word !== 'null')
      if (said.length > 0) answers[text] = said.join(', ')
    })
    void answering.answer({ decision: 'allow', answers })
  }
  return (
    <form className="questions" onSubmit={submit}>
      {questions.map((question, at) => (
        <fieldset key={question.text} disabled={!mayAnswer || answering.busy}>
          <legend>{question.text}</legend>
          {question.choices.map((choice) =>
            atOnce ? (
              <button
                key={choice.id}
                type="button"
                title={choice.description || undefined}
                onClick={() => answering.answer(answerBy(approval, choice, ''))}
              >
                {choice.label}
              </button>
            ) : (
              <label key={choice.id} title={choice.description || undefined}>
                <input
                  type={question.several ? 'checkbox' : 'radio'}
                  name={`choice-${at}`}
                  value={choice.label}
                />
                {choice.label}
              </label>
            ),
          )}
          <input
            name={`own-${at}`}
            aria-label={`An answer of your own: ${question.text}`}
            placeholder="An answer of your own"
            autoComplete="off"
          />
        </fieldset>
      ))}
      {mayAnswer && (
        <div className="answers">
          <button type="submit" className="primary" disabled={answering.busy}>
            Answer
          </button>
          <button
            type="button"
            className="danger"
            disabled={answering.busy}
            onClick={() => answering.answer({ decision: 'deny' })}
          >
            Do not answer
          </button>
        </div>
      )}
    </form>
  )
}

/** `y` and `n` answer the approval that has the focus. */
function answerByKey(event: KeyboardEvent<HTMLElement>): void {
  if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return
  event.currentTarget.querySelector<HTMLButtonElement>(`button[data-key="${event.key}"]`)?.click()
}

const toAgent = (name: string) => (event: { preventDefault: () => void }) => {
  event.preventDefault()
  openAgent(name)
}
