/**
 * A function made of text, with these parameters. undefined where code must not be generated; an error in the text is thrown.
 */
export function generated(
  parameters: readonly string[],
  body: string,
): ((...args: readonly unknown[]) => unknown) | undefined {
  try {
    return new Function(...parameters, body) as (...args: readonly unknown[]) => unknown
  } catch (error) {
    if (error instanceof EvalError) return undefined
    throw error
  }
}
