/** A tool's input for people: a command as it would be typed, anything else field by field. */
export function InputOf({ tool, input }: { tool: string; input: Record<string, unknown> }) {
  const fields = Object.entries(input)
  if (fields.length === 0) return <p className="tool">{tool}</p>
  return (
    <dl className="input">
      {fields.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <pre>{typeof value === 'string' ? value : JSON.stringify(value, null, 2)}</pre>
          </dd>
        </div>
      ))}
    </dl>
  )
}
