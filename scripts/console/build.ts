/** Builds the console into dist/console; `npm run build` does it, and the server of a clone when the page is first asked for. */
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { build, type Plugin } from 'vite'
import { noticesOf } from './licences.ts'

const fresh = `dist/.console-${process.pid}`
const modules: string[] = []
/** Style sheets are no part of a chunk, but of the graph of modules. */
const collect: Plugin = {
  name: 'collect-modules',
  buildEnd() {
    modules.push(...this.getModuleIds())
  },
}
await build({
  root: 'console',
  configFile: 'console/vite.config.ts',
  logLevel: 'warn',
  build: { outDir: `../${fresh}` },
  plugins: [collect],
})
writeFileSync(`${fresh}/licences.txt`, noticesOf(modules))
// two builds at a time, or a server that reads meanwhile, never see half of it
rmSync('dist/console', { recursive: true, force: true })
renameSync(fresh, 'dist/console')
