import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { DhaaraError } from '../errors/index.ts'
import { sendFile } from './console.ts'
import { HttpProblem } from './problem.ts'
import type { HttpOptions } from './served.ts'

/** A page of one's own, and where its files are. */
export interface OwnPage {
  readonly name: string
  readonly folder: string
}

/** @throws DhaaraError DHAARA_OPTION for a name that is no part of an address, or a folder without index.html */
export function pagesOf({ pages = {} }: HttpOptions): OwnPage[] {
  return Object.entries(pages).map(([name, place]) => {
    if (!/^[\w-]+$/.test(name))
      throw new DhaaraError('DHAARA_OPTION', `http.pages has '${name}'; expected letters, digits, '_' and '-'`)
    const folder = place instanceof URL ? fileURLToPath(place) : place
    if (!existsSync(join(folder, 'index.html')))
      throw new DhaaraError(
        'DHAARA_OPTION',
        `http.pages.${name} is ${folder}, where no index.html is; give the folder that the page was built into`,
      )
    return { name, folder }
  })
}

/**
 * Pages of one's own beside the console, under the same rules: no request leaves them, and who has to show a token has to show it
 * for what they ask. Their files are `index.html`, those beside it and those in `assets/`.
 *
 * @param check what each request has to pass
 */
export function servePages(
  server: FastifyInstance,
  pages: readonly OwnPage[],
  check: (request: FastifyRequest) => void,
): void {
  const folderOf = (name: string): string => {
    const found = pages.find((page) => page.name === name)
    if (found !== undefined) return found.folder
    const names = pages.map((page) => page.name).join(', ')
    throw new HttpProblem(404, `There is no page ${name}; ${names === '' ? 'none was given' : `there are: ${names}`}`)
  }
  server.get<{ Params: { page: string } }>('/pages/:page', async (request, reply) => {
    check(request)
    folderOf(request.params.page)
    // relative addresses in it begin here
    return reply.redirect(`${request.params.page}/`)
  })
  server.get<{ Params: { page: string } }>('/pages/:page/', async (request, reply) => {
    check(request)
    return sendFile(reply, folderOf(request.params.page), 'index.html')
  })
  server.get<{ Params: { page: string; file: string } }>('/pages/:page/:file', async (request, reply) => {
    check(request)
    return sendFile(reply, folderOf(request.params.page), request.params.file)
  })
  server.get<{ Params: { page: string; file: string } }>('/pages/:page/assets/:file', async (request, reply) => {
    check(request)
    return sendFile(reply, join(folderOf(request.params.page), 'assets'), request.params.file)
  })
}
