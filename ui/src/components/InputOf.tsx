const SHORT = 80

/** A tool's input for people, field by field; what is replaced and by what are told apart by colour too. */
export function InputOf({ tool, input }: { tool: string; input: Record<string, unknown> }) {
  const fields = Object.entries(input)
  if (fields.length === 0) return <p className="aside">{tool}, with no input</p>
  return (
    <dl className="input">
      {fields.map(([name, value]) => (
        <Field
          key={name}
          name={name}
          text={typeof value === 'string' ? value : JSON.stringify(value, null, 2)}
        />
      ))}
    </dl>
  )
}

const KINDS: Partial<Record<string, string>> = { old_string: 'old', new_string: 'new' }

function Field({ name, text }: { name: string; text: string }) {
  const kind = KINDS[name]
  const short = kind === undefined && text.length <= SHORT && !text.includes('\n')
  return (
    <div className={short ? 'short' : ''}>
      <dt>{name}</dt>
      <dd>{short ? <code>{text}</code> : <pre className={kind}>{text}</pre>}</dd>
    </div>
  )
}
