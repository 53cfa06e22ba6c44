import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Manifest {
  readonly name: string
  readonly version: string
  readonly license?: string
}

/**
 * What those who wrote the console's libraries and fonts want to be said with every copy.
 *
 * @param modules paths of all that was built in
 * @throws Error where a package brings no licence
 */
export function noticesOf(modules: Iterable<string>): string {
  const folders = new Set<string>()
  for (const path of modules) {
    const found = /^\0?(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path.replaceAll('\\', '/'))
    if (found !== null) folders.add(found[1]!)
  }
  const notices = [...folders]
    .filter((folder) => existsSync(join(folder, 'package.json')))
    .map((folder) => {
      const {
        name,
        version,
        license = 'see below',
      } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
      const [file] = globSync('{LICENSE,LICENCE,OFL,COPYING}*', { cwd: folder })
      if (file === undefined) throw new Error(`${name} brings no licence file, and is built into the console`)
      return { name, text: `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n` }
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return `The console has parts by others in it:\n\n${notices.map(({ text }) => text).join(`\n${'-'.repeat(80)}\n\n`)}`
}
