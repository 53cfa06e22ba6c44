/** What every suite takes from the command line. */
import { parseArgs } from 'node:util'

export interface SuiteOptions {
  /** Cases that were named; empty: all. */
  readonly named: readonly string[]
  readonly json: boolean
  readonly runs: number
  readonly seconds: number | undefined
  readonly records: number | undefined
  /** Records before the clock starts. */
  readonly warmUp: number | undefined
  readonly subjects: readonly string[] | undefined
}

export const usageText =
  'npm run bench -- [suite] [case …] [--json] [--seconds n] [--runs n] [--records n] [--subject name]'

/** @throws RangeError: an option is no number, or a case is unknown; TypeError: an option that there is not */
export function suiteOptions(suite: string, args: readonly string[], names: readonly string[]): SuiteOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      records: { type: 'string' },
      'warm-up': { type: 'string' },
      runs: { type: 'string', default: '5' },
      subject: { type: 'string', multiple: true },
    },
  })
  const unknown = positionals.find((name) => !names.includes(name))
  if (unknown !== undefined)
    throw new RangeError(`The suite ${suite} has no case '${unknown}'; there are: ${names.join(', ')}`)
  return {
    named: positionals,
    json: values.json,
    runs: wholeOption('runs', values.runs),
    seconds: values.seconds === undefined ? undefined : positiveOption('seconds', values.seconds),
    records: values.records === undefined ? undefined : wholeOption('records', values.records),
    warmUp: values['warm-up'] === undefined ? undefined : wholeOption('warm-up', values['warm-up']),
    subjects: values.subject,
  }
}

/** @throws RangeError */
export function positiveOption(name: string, text: string): number {
  const value = Number(text)
  if (!(value > 0 && Number.isFinite(value))) throw new RangeError(`--${name} is '${text}', not a number above 0`)
  return value
}

/** @throws RangeError */
export function wholeOption(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new RangeError(`--${name} is '${text}', not a whole number from 1 on`)
  return value
}
