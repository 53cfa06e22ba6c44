/**
 * Whether a function's text uses nothing but its parameters and the language: then two functions of that text give the
 * same results, even if they are two closures of one lambda. Errs on the side of no.
 */
export function isClosed(text: string): boolean {
  const known = cache.get(text)
  if (known !== undefined) return known
  const closed = check(text)
  if (cache.size > 10_000) cache.clear()
  cache.set(text, closed)
  return closed
}

const cache = new Map<string, boolean>()
const language = new Set(
  'return const let var if else true false null undefined typeof in of new void NaN Infinity Math Number String Boolean BigInt'.split(
    ' ',
  ),
)

function check(text: string): boolean {
  const arrow = /^\s*(?:\(\s*([\w$]+)\s*\)|([\w$]+))\s*=>/.exec(text)
  if (arrow === null) return false
  const parameter = arrow[1] ?? arrow[2]
  // Strings, templates, regular expressions and comments would need a parser.
  const body = text.slice(arrow[0].length)
  if (/['"`\\]|\/[*/]|=(?!=|>)|\bthis\b|\barguments\b|\+\+|--/.test(body.replaceAll(/[=!<>]==?/g, ' '))) return false
  for (const [, before, name] of body.matchAll(/(\.\s*)?\b([A-Za-z_$][\w$]*)/g)) {
    if (before === undefined && name !== parameter && !language.has(name as string)) return false
  }
  return true
}
