/** What agents ask and wait for: how a list and events change it. Pure. */

import type { PermissionEvent } from '../api/frames'
import type { ApprovalView, Choice, DecisionBody } from '../api/types'

/** Open approvals by their id, oldest first. */
export type Asks = ReadonlyMap<string, ApprovalView>

export const asksFrom = (list: readonly ApprovalView[]): Asks =>
  new Map(list.map((one) => [one.approval_id, one]))

export function asksAfter(asks: Asks, event: PermissionEvent): Asks {
  const { data } = event
  const next = new Map(asks)
  if (data.decision == null) next.set(data.approval_id, viewOf(event))
  else next.delete(data.approval_id)
  return next
}

function viewOf({ data, timestamp, agent_name, session_id }: PermissionEvent): ApprovalView {
  return {
    approval_id: data.approval_id,
    agent_name,
    session_id,
    kind: data.kind,
    tool: data.tool,
    input: data.input,
    title: data.title,
    choices: data.choices,
    asked_at: timestamp,
    tool_use_id: data.tool_use_id ?? null,
    details: data.details,
    decision: null,
    by: null,
    reason: null,
    decided_at: null,
  }
}

export const choicesOf = (approval: ApprovalView): Choice[] => approval.choices as unknown as Choice[]

export interface Question {
  text: string
  several: boolean
  choices: Choice[]
}

/** The questions of an approval, each with its own choices. */
export function questionsOf(approval: ApprovalView): Question[] {
  const told = Array.isArray(approval.input.questions) ? approval.input.questions : []
  const texts = told.map((one) => (one as { question?: unknown })?.question)
  const choices = choicesOf(approval)
  const all = [...texts, ...choices.map((choice) => choice.question)].filter((one) => typeof one === 'string')
  const distinct = [...new Set(all as string[])]
  return distinct.map((text) => {
    const own = choices.filter((choice) => (choice.question ?? distinct[0]) === text)
    return { text, several: own.some((choice) => choice.several === true), choices: own }
  })
}

/** What to answer for a choice that was clicked. */
export function answerBy(approval: ApprovalView, choice: Choice, reason: string): DecisionBody {
  const denies = choice.kind.startsWith('deny')
  const answers =
    approval.kind === 'question' && choice.question ? { answers: { [choice.question]: choice.label } } : {}
  return {
    decision: denies ? 'deny' : 'allow',
    ...('answers' in answers ? answers : { choice: choice.id }),
    ...(denies && reason ? { reason } : {}),
  }
}

/** An input that was edited, or why it cannot be sent. */
export function editedInput(text: string): { input: Record<string, unknown> } | { fault: string } {
  try {
    const input: unknown = JSON.parse(text)
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) {
      return { input: input as Record<string, unknown> }
    }
    return { fault: 'It must be a JSON object.' }
  } catch (error) {
    return { fault: error instanceof SyntaxError ? error.message : String(error) }
  }
}
