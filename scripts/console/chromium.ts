import { existsSync } from 'node:fs'

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** Where a Chromium is; undefined: nowhere. `CHROMIUM` says it. */
export function findChromium(): string | undefined {
  const told = process.env['CHROMIUM']
  return (told === undefined ? places : [told]).find((path) => existsSync(path))
}

/** It talks to the page, and to nobody else. */
export const chromiumArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
