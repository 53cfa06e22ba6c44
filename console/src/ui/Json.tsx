/** A value as JSON, with colours that help the eye and nothing else. */
export function Json({ value }: { value: unknown }) {
  const text = JSON.stringify(value, undefined, 2) ?? 'undefined'
  const parts = text.split(/("(?:[^"\\]|\\.)*"(?:\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/)
  return (
    <pre class="json">
      {parts.map((part, i) =>
        i % 2 === 0 ? (
          part
        ) : (
          <span key={i} class={classOf(part)}>
            {part}
          </span>
        ),
      )}
    </pre>
  )
}

function classOf(part: string): string {
  if (part.endsWith(':')) return 'name'
  if (part.startsWith('"')) return 'text'
  return /^[tfn]/.test(part) ? 'word' : 'number'
}

/** On one line. */
export function brief(value: unknown): string {
  if (typeof value === 'string') return value
  if (isWindowed(value)) {
    const { key, window } = value
    return `${brief(key)}  ${new Date(window.start).toISOString().slice(0, 19)}`
  }
  return JSON.stringify(value) ?? ''
}

const isWindowed = (value: unknown): value is { key: unknown; window: { start: number; end: number } } =>
  typeof value === 'object' && value !== null && 'window' in value && 'key' in value
