/** A stack trace: the lines of the user's own files stand out, those of the engine and of Node step back. */
export function Stack({ text }: { text: string }) {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const first = lines.findIndex(isUsers)
  return (
    <ol class="stack">
      {lines.map((line, i) => (
        <li key={i} class={i === first ? 'culprit' : isUsers(line) ? 'users' : /^\s+at /.test(line) ? 'theirs' : ''}>
          {line.trim().replace('file://', '')}
        </li>
      ))}
    </ol>
  )
}

/** A frame in a file that is not the engine's, a package's or Node's. */
const isUsers = (line: string): boolean =>
  /^\s+at .*[/\\][^/\\]+:\d+:\d+\)?$/.test(line) &&
  !/node_modules|node:|dhaara:sub-topology|[/\\]src[/\\](engine|dsl|state|connectors|http)[/\\]|<anonymous>/.test(line)
