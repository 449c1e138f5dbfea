import { openApprovals } from '../state/place'

/** The way to what agents ask, with how much that is. */
export function ApprovalsLink({ count, here }: { count: number; here: boolean }) {
  return (
    <a
      className="asks"
      href="/approvals"
      aria-current={here ? 'page' : undefined}
      onClick={(event) => {
        event.preventDefault()
        openApprovals()
      }}
    >
      Approvals {count > 0 && <span className="number">{count}</span>}
    </a>
  )
}
