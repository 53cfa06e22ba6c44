/** Hot methods of operators. */
export const specialized: readonly string[] = ['process', 'update', 'emit', 'left', 'right']

/**
 * Gives an operator its own compiled copies of its hot methods. V8 keeps type feedback by function, so operators that
 * share their class's methods would share call sites, and those that call user code would turn megamorphic.
 * A method is copied by its text, away from its module and its class: it may use nothing but `this`, its arguments and
 * globals (a test holds all operators to that).
 */
export function specialize(operator: object, copies: Map<string, unknown>, step: number): void {
  const target = operator as Record<string, unknown>
  for (const method of specialized) {
    const original = target[method]
    if (typeof original !== 'function') continue
    const id = `${step}.${operator.constructor.name}.${method}`
    let copy = copies.get(id)
    if (copy === undefined) {
      copy = new Function(`return ({ ${original.toString()} })[${JSON.stringify(method)}]`)()
      copies.set(id, copy)
    }
    target[method] = copy
  }
}
