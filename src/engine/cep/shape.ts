/** What `shapeOf` made of a step: contiguity, name or steps of a group, optional, quantifier. */
type StepShape = readonly [contiguity: string, body: string | Shape, optional: boolean, quantifier: Quantifier | null]
type Quantifier = readonly [min: number, max: number | null, inner: string, greedy: boolean, until: boolean]
/** Steps, or a choice: its kind and its alternatives. */
type Shape = readonly StepShape[] | readonly [kind: string, ...Shape[]]

/** The first thing in which the patterns of a stored state differ from those that are to go on with it. */
export function changeOfShape(stored: string, wanted: string): string {
  const [was, is] = [linesOf(stored), linesOf(wanted)]
  const at = was.findIndex((line, i) => line !== is[i])
  const first = at === -1 ? was.length : at
  return `it was made with ${was[first] ?? 'nothing there'}, where there is now ${is[first] ?? 'nothing'}`
}

/** A line for each step, in order; each names its pattern. */
function linesOf(text: string): string[] {
  const [patterns, tags] = JSON.parse(text) as readonly [readonly Shape[], (readonly string[] | null)?]
  return patterns.flatMap((shape, i) => {
    const of = tags === undefined || tags === null ? '' : ` of pattern ${JSON.stringify(tags[i])}`
    return stepsOf(shape).map((line) => line + of)
  })
}

function stepsOf(shape: Shape): string[] {
  if (typeof shape[0] === 'string') {
    const [kind, ...parts] = shape as readonly [string, ...Shape[]]
    return [`${kind}(${parts.length} patterns)`, ...parts.flatMap(stepsOf)]
  }
  return (shape as readonly StepShape[]).flatMap(([contiguity, body, optional, quantifier]) => {
    const calls = `${quantifier === null ? '' : spell(quantifier)}${optional ? '.optional()' : ''}`
    if (typeof body === 'string') return [`${contiguity}(${JSON.stringify(body)})${calls}`]
    return [`${contiguity}(group)${calls}`, ...stepsOf(body)]
  })
}

function spell([min, max, inner, greedy, until]: Quantifier): string {
  const times = max === null ? `timesOrMore(${min})` : min === max ? `times(${min})` : `times(${min}, ${max})`
  const how = { relaxed: '', strict: '.consecutive()', any: '.allowCombinations()' }[inner] ?? ''
  return `.${times}${how}${greedy ? '.greedy()' : ''}${until ? '.until(…)' : ''}`
}
