/**
 * Gives an operator its own compiled copies of its hot methods. V8 keeps type feedback by function, so operators that
 * share their class's methods would share call sites, and those that call user code would turn megamorphic.
 * Only methods that use nothing but `this` and their arguments can be copied.
 */
export function specialize(
  operator: object,
  copies: Map<string, unknown>,
  step: number,
  methods: readonly string[],
): void {
  const target = operator as Record<string, unknown>
  for (const method of methods) {
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
