import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, dirname, join } from 'node:path'

/** What a package ships and no one who runs it reads. */
const unread = ['deps', 'prebuilds.zip', 'node_modules']

/**
 * A registry of the packages that are installed in a repository: npm installs from it without a network, and finds
 * nothing that a package does not depend on by its own manifest.
 *
 * @param root where package-lock.json and node_modules are
 */
export async function localRegistry(root: string): Promise<AsyncDisposable & { readonly url: string }> {
  const folders = foldersOf(root)
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const [name = '', version] = decodeURIComponent(request.url ?? '')
      .slice(1)
      .split('/-/')
    const found = folders.get(name)
    if (found === undefined) {
      response.writeHead(404).end('{}')
    } else if (version === undefined) {
      const versions = Object.fromEntries(
        Array.from(found, ([number, folder]) => {
          const dist = { tarball: `${url}${name}/-/${number}` }
          return [number, { ...readManifest(folder), dist }]
        }),
      )
      response.end(JSON.stringify({ name, 'dist-tags': { latest: Object.keys(versions).at(-1) }, versions }))
    } else {
      const folder = found.get(version) as string
      const skipped = unread.flatMap((name) => ['--exclude', `${basename(folder)}/${name}`])
      spawn('tar', ['-c', ...skipped, '-C', dirname(folder), basename(folder)]).stdout.pipe(response)
    }
  }
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return {
    url,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Name -> version -> folder: several where packages want different versions of one. */
function foldersOf(root: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: Record<string, object> }
  const folders = new Map<string, Map<string, string>>()
  for (const path of Object.keys(lock.packages)) {
    const folder = join(root, path)
    if (path === '' || !existsSync(join(folder, 'package.json'))) continue
    const { name, version } = readManifest(folder)
    const versions = folders.get(name) ?? new Map<string, string>()
    folders.set(name, versions.set(version, folder))
  }
  return folders
}

function readManifest(folder: string): { readonly name: string; readonly version: string } {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name: string; version: string }
}
