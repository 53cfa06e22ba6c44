/** Removes what `npm run build` writes. */
import { rmSync } from 'node:fs'

rmSync('dist', { recursive: true, force: true })
