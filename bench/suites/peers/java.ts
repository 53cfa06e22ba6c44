/**
 * The programs in `bench/peers/java`, each with the library that it measures: fetched by Maven as its `pom.xml` pins it, compiled
 * by `javac`, run in a process of its own. Jars and classes lie outside the tree, in the user's cache directory.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Measured } from '../../harness/run.ts'
import type { OutsideJob } from '../../harness/subject.ts'

export type JavaPeer = 'flink' | 'kafka-streams'

const sources = resolve(import.meta.dirname, '../../peers/java')
const home = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'dhaara', 'peers')
const mainClasses: Readonly<Record<JavaPeer, string>> = {
  flink: 'dhaara.bench.FlinkPeer',
  'kafka-streams': 'dhaara.bench.KafkaStreamsPeer',
}

/** Of the virtual machine; `tuned` variants take the collector with the higher throughput. */
const heap = ['-Xms1g', '-Xmx4g']
/** What Flink asks for on Java 17. */
const opened = ['java.util', 'java.lang', 'java.time', 'java.nio'].map(
  (name) => `--add-opens=java.base/${name}=ALL-UNNAMED`,
)

/** Why no Java program can be run here; undefined: nothing stands in the way. */
export function missingJava(): string | undefined {
  if (process.env['CI'] !== undefined) return 'peers are not measured in CI'
  for (const tool of ['java', 'javac', 'mvn']) {
    const { error } = spawnSync(tool, ['-version'])
    if (error !== undefined) return `${tool} is not on the PATH (Java 17 and Maven are needed)`
  }
  return undefined
}

/** The class path of a peer; fetches and compiles what is not there. @throws Error: Maven or javac failed */
export function classPathOf(peer: JavaPeer): string {
  const files = globSync([join(sources, 'common/*.java'), join(sources, peer, '*')]).toSorted()
  const hash = createHash('sha256')
  for (const file of files) hash.update(readFileSync(file))
  const dir = join(home, `${peer}-${hash.digest('hex').slice(0, 12)}`)
  if (!existsSync(dir)) {
    const partial = `${dir}.${process.pid}`
    mkdirSync(partial, { recursive: true })
    const lib = join(partial, 'lib')
    const pom = join(sources, peer, 'pom.xml')
    run('mvn', [
      '-q',
      '-B',
      '-f',
      pom,
      'dependency:copy-dependencies',
      '-DincludeScope=runtime',
      `-DoutputDirectory=${lib}`,
    ])
    const java = files.filter((file) => file.endsWith('.java'))
    run('javac', ['--release', '17', '-nowarn', '-d', join(partial, 'classes'), '-cp', join(lib, '*'), ...java])
    renameSync(partial, dir)
  }
  return [join(dir, 'classes'), join(dir, 'lib', '*')].join(':')
}

function run(command: string, args: readonly string[]): void {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? stdout + stderr}`)
}

/** One run in a virtual machine of its own. @throws Error: it ended without a result */
export async function runJava(peer: JavaPeer, job: OutsideJob, bootstrap = ''): Promise<Measured> {
  const dir = mkdtempSync(join(tmpdir(), 'dhaara-peer-'))
  const options = job.variant.includes('tuned') ? ['-XX:+UseParallelGC'] : []
  const given = {
    case: job.case,
    variant: job.variant,
    workload: resolve(job.workload),
    warmUp: job.warmUp,
    records: job.records,
    dir,
    bootstrap,
  }
  try {
    return JSON.parse(await outputOf(commandOf(peer, mainClasses[peer], given, options))) as Measured
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** What to give `java`, for a class of a peer that takes its arguments as `--name value`. */
export function commandOf(
  peer: JavaPeer,
  mainClass: string,
  given: Readonly<Record<string, string | number>>,
  options: readonly string[] = [],
): string[] {
  const args = Object.entries(given).flatMap(([name, value]) => [`--${name}`, String(value)])
  return [...heap, ...options, ...opened, '-cp', classPathOf(peer), mainClass, ...args]
}

/** The last line of a Java program's output. @throws Error: it ended without a result */
export function outputOf(args: readonly string[]): Promise<string> {
  const child = spawn('java', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let output = ''
  let complaint = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(-4_000)))
  child.on('error', reject)
  child.on('close', (code, signal) => {
    const line = output.trimEnd().split('\n').at(-1) ?? ''
    if (code === 0 && line.startsWith('{')) resolve(line)
    else reject(new Error(`The Java peer ended without a result (${signal ?? `exit code ${code}`})\n${complaint}`))
  })
  return promise
}
