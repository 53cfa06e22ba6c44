/** Builds the console into dist/console; `npm run build` does it, and the server of a clone when the page is first asked for. */
import { renameSync, rmSync } from 'node:fs'
import { build } from 'vite'

const fresh = `dist/.console-${process.pid}`
await build({
  root: 'console',
  configFile: 'console/vite.config.ts',
  logLevel: 'warn',
  build: { outDir: `../${fresh}` },
})
// two builds at a time, or a server that reads meanwhile, never see half of it
rmSync('dist/console', { recursive: true, force: true })
renameSync(fresh, 'dist/console')
