import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { HttpProblem } from './problem.ts'

/** Of the package, or of the repository where the code runs from source. */
const root = fileURLToPath(new URL('../../', import.meta.url))
const built = join(root, 'dist/console')
const fromSource = import.meta.url.endsWith('.ts')

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.json': 'application/json',
  '.woff2': 'font/woff2',
}

/** No request leaves the page, and nothing of elsewhere comes into it. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/**
 * The console: pages that hold no data of the app, so they need no token. In a clone of the repository it is built when it is
 * first asked for, and again when its source has changed.
 *
 * @param check what each request has to pass
 */
export function serveConsole(server: FastifyInstance, check: (request: FastifyRequest) => void): void {
  const ready = fromSource ? buildOnce() : async () => {}
  const page = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    check(request)
    await ready()
    return sendFile(reply, built, 'index.html')
  }
  server.get('/', page)
  server.get('/assets/:file', async (request, reply) => {
    check(request)
    await ready()
    return sendFile(reply, join(built, 'assets'), (request.params as { readonly file: string }).file)
  })
}

/** A file of one folder, by its plain name. @throws HttpProblem 404 */
export function sendFile(reply: FastifyReply, folder: string, name: string): unknown {
  const path = join(folder, name)
  const type = types[extname(name)]
  if (!/^[\w.-]+$/.test(name) || type === undefined || !existsSync(path))
    throw new HttpProblem(404, `There is no page ${name}; the console is there after npm run build`)
  const body = readFileSync(path)
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
  void reply.headers({
    'content-security-policy': policy,
    'referrer-policy': 'no-referrer',
    etag,
    'cache-control': 'no-cache',
  })
  if (reply.request.headers['if-none-match'] === etag) return reply.code(304).send()
  return reply.type(type).send(body)
}

function buildOnce(): () => Promise<void> {
  let building: Promise<void> | undefined
  return () => {
    building ??= isFresh() ? Promise.resolve() : build()
    building.catch(() => (building = undefined))
    return building
  }
}

function isFresh(): boolean {
  const page = join(built, 'index.html')
  if (!existsSync(page)) return false
  const made = statSync(page).mtimeMs
  return globSync('console/**/*.*', { cwd: root }).every((file) => statSync(join(root, file)).mtimeMs <= made)
}

async function build(): Promise<void> {
  try {
    await promisify(execFile)(process.execPath, ['scripts/console/build.ts'], { cwd: root })
  } catch (error) {
    throw new HttpProblem(503, `The console could not be built: ${(error as Error).message}`)
  }
}
