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

const text = { type: 'string' } as const
const generatorOptions = { count: text, seed: text, rate: text, late: text, disorder: text } as const

/**
 * Reads `--count --seed --rate --late --disorder --out`.
 * @throws Error with a message for the user: an unknown option, or a value outside its range
 */
export function parseOptions(args: readonly string[] = process.argv.slice(2)): GeneratorParams & OutputOptions {
  const { values } = parseArgs({ args: [...args], options: { ...generatorOptions, out: text } })
  return { ...paramsOf(values, defaultParams.count), rate: rateOf(values), out: values.out }
}

/** Where a run keeps its topics and state, and what it does with those of the run before. */
export interface RunOptions {
  readonly params: GeneratorParams
  /** Events per second; as fast as they are processed without it. */
  readonly rate: number | undefined
  readonly dir: string
  /** Go on where the run before stopped. */
  readonly keep: boolean
  /** Of each topic. */
  readonly partitions: number
  /** Serves the app and its console here, and goes on until it is interrupted. */
  readonly http: number | undefined
}

/**
 * Reads `--count --seed --rate --late --disorder --dir --keep --partitions --http`.
 * @throws Error with a message for the user
 */
export function parseRunOptions(
  args: readonly string[],
  defaults: { readonly count: number; readonly dir: string },
): RunOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { ...generatorOptions, dir: text, keep: { type: 'boolean' }, partitions: text, http: text },
  })
  return {
    params: paramsOf(values, defaults.count),
    rate: rateOf(values),
    dir: values.dir ?? defaults.dir,
    keep: values.keep ?? false,
    partitions: number('partitions', values.partitions, { whole: true, min: 1, max: 1000 }) ?? 1,
    http: number('http', values.http, { whole: true, max: 65_535 }),
  }
}

type Texts = { readonly [name in keyof typeof generatorOptions]?: string | undefined }

function paramsOf(texts: Texts, defaultCount: number): GeneratorParams {
  const late = number('late', texts.late, { max: 1 }) ?? defaultParams.late
  const disorder = number('disorder', texts.disorder, { max: 1 }) ?? defaultParams.disorder
  if (late + disorder > 1)
    throw new Error(`--late ${late} --disorder ${disorder}: expected shares that add up to at most 1`)
  return {
    count: number('count', texts.count, { whole: true, max: 1e9 }) ?? defaultCount,
    seed: number('seed', texts.seed, { whole: true, max: Number.MAX_SAFE_INTEGER }) ?? defaultParams.seed,
    late,
    disorder,
  }
}

function rateOf(texts: Texts): number | undefined {
  return number('rate', texts.rate, { max: 1e9 }) || undefined
}

function number(
  name: string,
  given: string | undefined,
  { whole = false, min = 0, max }: { readonly whole?: boolean; readonly min?: number; readonly max: number },
): number | undefined {
  if (given === undefined) return undefined
  const value = given.trim() === '' ? Number.NaN : Number(given)
  if (value >= min && value <= max && (!whole || Number.isInteger(value))) return value
  throw new Error(`--${name} ${given}: expected ${whole ? 'an integer' : 'a number'} from ${min} to ${max}`)
}

/** Runs a command of an example. Failures are told in one line: exit code 2 for bad usage, 1 for what went wrong later. */
export async function command<O = GeneratorParams & OutputOptions>(
  run: (options: O) => Promise<unknown>,
  parse: () => O = parseOptions as () => O,
): Promise<void> {
  let failed = 2
  try {
    const options = parse()
    failed = 1
    await run(options)
  } catch (error) {
    const { code, message } = error as Error & { code?: unknown }
    console.error(typeof code === 'string' && code.startsWith('DHAARA_') ? `${code}: ${message}` : message)
    process.exitCode = failed
  }
}
