import { hostname } from 'node:os'
import { DhaaraError } from '../errors/index.ts'
import type { HttpOptions } from './served.ts'

const allAddresses = new Set(['0.0.0.0', '[::]'])

/**
 * The URL that other instances are told.
 * @param url where the server listens
 * @throws DhaaraError DHAARA_OPTION
 */
export function advertisedBy({ advertise, tls }: HttpOptions, url: string): string {
  const scheme = tls === undefined ? 'http' : 'https'
  if (advertise !== undefined) {
    const given = /^https?:\/\//.test(advertise) ? advertise : `${scheme}://${advertise}`
    const parsed = URL.canParse(given) ? new URL(given) : undefined
    if (parsed !== undefined && parsed.pathname === '/' && parsed.search === '') return parsed.origin
    throw new DhaaraError(
      'DHAARA_OPTION',
      `http: {advertise} is '${advertise}'; expected 'host:port' or a URL without a path, as other instances reach it`,
    )
  }
  if (url === '') return url
  const { hostname: host, port } = new URL(url)
  return allAddresses.has(host) ? `${scheme}://${hostname()}:${port}` : url
}
