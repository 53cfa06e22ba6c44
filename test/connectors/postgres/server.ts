/**
 * A PostgreSQL server of one's own, for the tests: data in a temporary directory, on a free port of the loopback. Its programs
 * are those of Debian's package, installed or, where they are not, fetched by apt (which checks their signature) into the
 * user's cache.
 */
import { spawn, spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'

export interface PostgresServer extends AsyncDisposable {
  readonly url: string
  /** As a power cut would, for the server's processes. */
  kill(): Promise<void>
  start(): Promise<void>
}

const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'dhaara', 'postgres')

/** Where `initdb` and `postgres` are. */
function programs(): string {
  const given = process.env['DHAARA_POSTGRES_BIN']
  if (given !== undefined) return given
  for (const root of ['/usr/lib/postgresql', join(cache, 'usr/lib/postgresql')]) {
    const [newest] = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : []
    if (newest !== undefined && existsSync(join(root, newest, 'bin/initdb'))) return join(root, newest, 'bin')
  }
  return fetched()
}

function fetched(): string {
  mkdirSync(cache, { recursive: true })
  const run = (command: string, ...args: string[]) => {
    const { status, stderr, error } = spawnSync(command, args, { cwd: cache, encoding: 'utf8' })
    if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`)
  }
  spawnSync('apt-get', ['update'])
  run('apt-get', 'download', 'postgresql-15', 'postgresql-client-15')
  for (const file of readdirSync(cache).filter((name) => name.endsWith('.deb'))) run('dpkg-deb', '-x', file, cache)
  return programs()
}

/** The server refuses to run as root. */
const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}

export async function startPostgres(): Promise<PostgresServer> {
  const bin = programs()
  const root = mkdtempSync(join(tmpdir(), 'dhaara-postgres-'))
  const data = join(root, 'data')
  if (user.uid !== undefined) chownSync(root, user.uid, user.gid)
  const init = ['-D', data, '-U', 'dhaara', '--auth=trust', '--no-sync', '--encoding=UTF8', '--locale=C']
  const { status, stderr, error } = spawnSync(join(bin, 'initdb'), init, { ...user, cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(`initdb: ${error?.message ?? stderr}`)
  const port = await freePort()
  const url = `postgres://dhaara@127.0.0.1:${port}/postgres`
  let child: ReturnType<typeof spawn> | undefined
  const start = async (): Promise<void> => {
    const settings = [
      'listen_addresses=127.0.0.1',
      `unix_socket_directories=${root}`,
      'fsync=off',
      'max_connections=50',
    ]
    const args = ['-D', data, '-p', String(port), ...settings.flatMap((one) => ['-c', one])]
    child = spawn(join(bin, 'postgres'), args, { ...user, cwd: root, stdio: 'ignore' })
    await up(url)
  }
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child === undefined) return
    const ended = new Promise((resolve) => child?.once('exit', resolve))
    child.kill(signal)
    await ended
    child = undefined
  }
  await start()
  return {
    url,
    start,
    kill: () => end('SIGQUIT'),
    async [Symbol.asyncDispose]() {
      await end('SIGINT')
      rmSync(root, { recursive: true, force: true })
    },
  }
}

async function up(url: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const client = new pg.Client({ connectionString: url })
    try {
      await client.connect()
      await client.end()
      return
    } catch (error) {
      if (attempt > 600) throw error
      await sleep(50)
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
