import { parseArgs } from 'node:util'

/** What a generator makes: the same parameters give the same events, byte for byte, on any machine. */
export interface GeneratorParams {
  readonly seed: number
  /** Number of events. */
  readonly count: number
  /** Share of events that come after the watermark. */
  readonly late: number
  /** Share of events that arrive after younger ones, within the watermark's bound. */
  readonly disorder: number
}

export const defaultParams: GeneratorParams = { seed: 1, count: 100_000, late: 0.01, disorder: 0.05 }

/** Where a generator's events go, and how fast. */
export interface OutputOptions {
  /** Events per second; as fast as possible without it. It does not change the events. */
  readonly rate: number | undefined
  /** A path; standard output without it. */
  readonly out: string | undefined
}

/**
 * Reads `--count --seed --rate --late --disorder --out`.
 * @throws Error with a message for the user: an unknown option, or a value outside its range
 */
export function parseOptions(args: readonly string[] = process.argv.slice(2)): GeneratorParams & OutputOptions {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args: [...args],
    options: { count: text, seed: text, rate: text, late: text, disorder: text, out: text },
  })
  const number = (name: 'count' | 'seed' | 'rate' | 'late' | 'disorder', whole: boolean, max: number) => {
    const given = values[name]
    if (given === undefined) return undefined
    const value = given.trim() === '' ? Number.NaN : Number(given)
    if (value >= 0 && value <= max && (!whole || Number.isInteger(value))) return value
    throw new Error(`--${name} ${given}: expected ${whole ? 'an integer' : 'a number'} from 0 to ${max}`)
  }
  const late = number('late', false, 1) ?? defaultParams.late
  const disorder = number('disorder', false, 1) ?? defaultParams.disorder
  if (late + disorder > 1)
    throw new Error(`--late ${late} --disorder ${disorder}: expected shares that add up to at most 1`)
  return {
    count: number('count', true, 1e9) ?? defaultParams.count,
    seed: number('seed', true, Number.MAX_SAFE_INTEGER) ?? defaultParams.seed,
    late,
    disorder,
    rate: number('rate', false, 1e9) || undefined,
    out: values.out,
  }
}

/** Runs a generator's command. Failures are told in one line: exit code 2 for bad usage, 1 for what went wrong later. */
export async function command(run: (options: GeneratorParams & OutputOptions) => Promise<unknown>): Promise<void> {
  let failed = 2
  try {
    const options = parseOptions()
    failed = 1
    await run(options)
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = failed
  }
}
