/**
 * `npm run bench -- profile [case …] [--records n] [--json]`: where the engine's time goes in the cases of `ceilings`, by V8's CPU
 * profile of a whole run. Shares are of the time that the thread was busy; native work (RocksDB, JSON) shows under the
 * function that called it, or as `(program)`.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Job } from './harness/child.ts'
import { suiteOptions } from './harness/options.ts'
import { planRun } from './harness/runner.ts'
import type { BenchCase } from './harness/subject.ts'
import { suite } from './suites/ceilings/index.ts'

export interface ProfileLine {
  readonly suite: 'profile'
  readonly case: string
  readonly top: readonly { readonly at: string; readonly share: number }[]
}

/** As V8 writes it. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string }
  }[]
  readonly samples: readonly number[]
  /** Microseconds between samples. */
  readonly timeDeltas: readonly number[]
}

const shown = 8

/** Self time by function and file, as shares of all that was not idle, the largest first. */
export function topOf({ nodes, samples, timeDeltas }: CpuProfile, count = shown): ProfileLine['top'] {
  const nameOf = new Map(nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]))
  const times = new Map<string, number>()
  let total = 0
  samples.forEach((id, i) => {
    const name = nameOf.get(id)!
    if (name === '(idle)') return
    const time = timeDeltas[i]!
    total += time
    times.set(name, (times.get(name) ?? 0) + time)
  })
  return [...times]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([at, time]) => ({ at, share: Number((time / total).toFixed(3)) }))
}

/** Generated code has no file. */
function placeOf({ functionName, url }: CpuProfile['nodes'][number]['callFrame']): string {
  const name = functionName === '' ? '(anonymous)' : functionName
  if (name.startsWith('(') && url === '') return name
  const file = url.replace(/^.*\/(src|bench|node_modules)\//, '$1/').replace(/^node:/, 'node ')
  return `${name} ${file === '' ? 'generated or native' : file}`
}

async function profile(bench: BenchCase, records: number): Promise<ProfileLine> {
  const spec = await planRun(bench, { runs: 1, records, warmUp: 200_000, log: () => {} }, '.cache/bench')
  const dir = mkdtempSync(join(tmpdir(), 'dhaara-profile-'))
  try {
    const variant = bench.subjects[0]!.variants[0]!
    const job: Job = { ...spec, kind: 'subject', path: join(bench.folder, 'dhaara.ts'), variant }
    const child = resolve(import.meta.dirname, 'harness/child.ts')
    const flags = ['--expose-gc', '--cpu-prof', `--cpu-prof-dir=${dir}`]
    const { status, stderr } = spawnSync(process.execPath, [...flags, child, JSON.stringify(job)], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`The profile of ${bench.name} failed: ${stderr}`)
    const [file] = readdirSync(dir)
    return { suite: 'profile', case: bench.name, top: topOf(JSON.parse(readFileSync(join(dir, file!), 'utf8'))) }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  const cases = suite.cases.filter(({ onlyNamed, name }) => onlyNamed !== true && name !== 'repartition')
  const {
    named,
    json,
    records = 1_000_000,
  } = suiteOptions(
    'profile',
    args,
    cases.map(({ name }) => name),
  )
  for (const bench of cases.filter(({ name }) => named.length === 0 || named.includes(name))) {
    const line = await profile(bench, records)
    if (json) console.log(JSON.stringify(line))
    else
      console.log([line.case, ...line.top.map(({ at, share }) => `  ${(share * 100).toFixed(1)} %  ${at}`)].join('\n'))
  }
  return 0
}
