/**
 * The jars of Apache Kafka, fetched by Maven as `pom.xml` beside this file pins them, and held to the checksums in
 * `jars.sha256`. `$DHAARA_KAFKA_VERSION` says another version; Maven alone vouches for the jars of that. They lie outside the
 * tree: in `$DHAARA_KAFKA_JARS`, or in the user's cache directory.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const here = import.meta.dirname
const pinnedVersion = '4.1.0'
export const kafkaVersion = process.env['DHAARA_KAFKA_VERSION'] ?? pinnedVersion

const [ownMajor = 0, ownMinor = 0] = kafkaVersion.split('.').map(Number)
export const brokerIsAtLeast = (major: number, minor: number): boolean =>
  ownMajor > major || (ownMajor === major && ownMinor >= minor)

const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
/** Where the jars and the state of running nodes lie. */
export const kafkaHome = process.env['DHAARA_KAFKA_JARS'] ?? join(cache, 'dhaara', `kafka-${kafkaVersion}`)

/** Why no broker can be run here; undefined: nothing stands in the way. */
export function missingTools(): string | undefined {
  if (spawnSync('java', ['-version']).error !== undefined) return 'Java (17 or newer) is not on the PATH'
  if (existsSync(join(kafkaHome, 'lib'))) return undefined
  if (spawnSync('mvn', ['-version']).error !== undefined) return 'Maven (mvn) is not on the PATH, to fetch Kafka with'
  return undefined
}

/** The class path; fetches what is not there. @throws Error: a jar is not what was pinned */
export function jars(): string {
  const lib = join(kafkaHome, 'lib')
  if (!existsSync(lib)) fetchInto(lib)
  for (const [name, sum] of kafkaVersion === pinnedVersion ? pinned() : []) {
    const found = existsSync(join(lib, name)) ? sha256(join(lib, name)) : 'nothing'
    if (found === sum) continue
    throw new Error(`${join(lib, name)} has the checksum ${found}; ${sum} is pinned. Remove ${lib}, and try again`)
  }
  return join(lib, '*')
}

function fetchInto(lib: string): void {
  mkdirSync(kafkaHome, { recursive: true })
  const partial = `${lib}.${process.pid}`
  const which = ['-f', join(here, 'pom.xml'), `-Dkafka.version=${kafkaVersion}`]
  const args = ['-q', '-B', ...which, 'dependency:copy-dependencies', '-DincludeScope=runtime']
  const { status, stdout, stderr, error } = spawnSync('mvn', [...args, `-DoutputDirectory=${partial}`], {
    encoding: 'utf8',
  })
  if (status !== 0) {
    rmSync(partial, { recursive: true, force: true })
    throw new Error(`Maven could not fetch Kafka ${kafkaVersion}: ${error?.message ?? stdout + stderr}`)
  }
  // Another process may have been faster.
  if (existsSync(lib)) rmSync(partial, { recursive: true, force: true })
  else renameSync(partial, lib)
}

const pinned = (): (readonly [string, string])[] =>
  readFileSync(join(here, 'jars.sha256'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const [sum = '', name = ''] = line.split(/\s+/)
      return [name, sum] as const
    })

const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')
