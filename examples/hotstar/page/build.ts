import { join } from 'node:path'
import { build } from 'vite'

/**
 * Builds the page.
 * @returns its folder, for `http: { pages }`
 */
export async function buildPage(): Promise<string> {
  const outDir = join(import.meta.dirname, '../../../.cache/pages/hotstar')
  await build({
    root: import.meta.dirname,
    configFile: false,
    base: './',
    logLevel: 'warn',
    build: { outDir, emptyOutDir: true, target: 'es2023', assetsInlineLimit: 0, modulePreload: false },
  })
  return outDir
}
