/** More of a value than this nobody reads, and it takes the browser seconds. */
const mostText = 50_000
/** Of what stands in one cell. */
const mostBrief = 400

/** A value as JSON, with colours that help the eye and nothing else. */
export function Json({ value }: { value: unknown }) {
  const whole = JSON.stringify(value, undefined, 2) ?? 'undefined'
  const text = whole.slice(0, mostText)
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
      {whole.length > mostText && (
        <em>{`\n… and ${(whole.length - mostText).toLocaleString('en-US')} characters more`}</em>
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
  if (typeof value === 'string') return value.slice(0, mostBrief)
  if (isWindowed(value)) {
    const { key, window } = value
    return `${brief(key)}  ${new Date(window.start).toISOString().slice(0, 19)}`
  }
  return (JSON.stringify(value) ?? '').slice(0, mostBrief)
}

const isWindowed = (value: unknown): value is { key: unknown; window: { start: number; end: number } } =>
  typeof value === 'object' && value !== null && 'window' in value && 'key' in value
