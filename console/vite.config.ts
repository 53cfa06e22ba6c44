import { defineConfig } from 'vite'

/** `npm run console -- --port 5173` serves it while it is worked on; the app is asked at DHAARA_URL. */
const app = process.env['DHAARA_URL'] ?? 'http://127.0.0.1:8090'

export default defineConfig({
  base: './',
  build: { outDir: '../dist/console', emptyOutDir: true, target: 'es2023', assetsInlineLimit: 0, modulePreload: false },
  server: { proxy: { '/api': app, '/metrics': app, '/openapi.json': app } },
})
