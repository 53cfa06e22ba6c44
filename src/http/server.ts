import type { AddressInfo } from 'node:net'
import { advertisedBy } from './advertised.ts'
import { fastify, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Logger } from '../engine/app/settings/logger.ts'
import { DhaaraError } from '../errors/index.ts'
import { EventStreams } from './events.ts'
import { serveConsole } from './console.ts'
import { guard, isLoopback } from './guard.ts'
import { Inputs } from './live/inputs.ts'
import { Sampler } from './live/sampler.ts'
import { TaskTotals } from './live/task-totals.ts'
import { AppMetrics } from './metrics.ts'
import { openApi } from './openapi.ts'
import { pagesOf, servePages } from './pages.ts'
import { HttpProblem, problemOf, problemType } from './problem.ts'
import { refuseUnread } from './refuse-unread.ts'
import { methodsAt } from './allowed-methods.ts'
import { readParameters } from './query-parameters.ts'
import { anything, closed, object, type Route, type Schema } from './route.ts'
import { appRoutes } from './routes/app.ts'
import { liveRoutes } from './routes/live.ts'
import { peerRoutes } from './routes/peers.ts'
import { letterRoutes } from './routes/letters.ts'
import { storeRoutes } from './routes/stores.ts'
import { topicRoutes } from './routes/topics.ts'
import type { CheckpointInfo, HttpOptions, RestoreInfo, Served } from './served.ts'

export interface HttpServer extends AsyncDisposable {
  /** Where it listens: http://127.0.0.1:8090 */
  readonly url: string
  /** Where other instances reach it. */
  readonly advertised: string
  checkpoint(info: CheckpointInfo): void
  restore(info: RestoreInfo): void
}

/** One that says nothing for so long is let go. */
const silence = 60_000
const slowRequest = 30_000
const mostBody = 1 << 20

/**
 * Serves an app over HTTP.
 *
 * @throws DhaaraError DHAARA_OPTION if it cannot listen there
 */
export async function serveApp(
  app: Served,
  options: HttpOptions,
  { version, logger }: { readonly version: string; readonly logger: Logger },
): Promise<HttpServer> {
  const pages = pagesOf(options)
  const { port = 0, host = '127.0.0.1', token, tls, admin = false } = options
  if (!isLoopback(host) && token === undefined)
    logger.warn({ host }, 'whoever reaches this host can read the stores of the app; give http: {token}')
  const server = fastify({
    ...(tls === undefined ? {} : { https: tls }),
    logger: false,
    bodyLimit: mostBody,
    connectionTimeout: silence,
    requestTimeout: slowRequest,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 1024 },
    // what is no request of any route is answered like those that are
    frameworkErrors: (error, _, reply) => void fail(reply as FastifyReply, error),
    clientErrorHandler: refuseUnread,
    // what is not known is refused, and not left out
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, allErrors: false, keywords: [] } },
  })
  // bodies are JSON
  server.removeContentTypeParser('text/plain')
  advertisedBy(options, '')
  const totals = new TaskTotals()
  const inputs = new Inputs(app)
  const metrics = new AppMetrics(app, totals, inputs)
  const sampler = new Sampler(app, totals, inputs)
  const events = new EventStreams()
  const check = guard(options)
  const fail = (reply: FastifyReply, error: unknown): FastifyReply => {
    const problem = problemOf(error)
    // what an asker who has gone did not wait for is no failure
    if (problem.status >= 500 && problem.status !== 503 && !reply.raw.destroyed)
      logger.error({ err: error }, 'a request failed')
    if (problem.status === 401) void reply.header('www-authenticate', 'Bearer')
    if (problem.status === 503) void reply.header('retry-after', '1')
    return reply.code(problem.status).type(problemType).send(JSON.stringify(problem))
  }
  server.setErrorHandler((error, _, reply) => fail(reply, error))

  const routes: Route[] = [
    ...appRoutes(app, metrics, { version, admin, pages: pages.map(({ name }) => name) }),
    ...liveRoutes(app, sampler, events),
    ...storeRoutes(app, events),
    ...topicRoutes(app),
    ...letterRoutes(app, options.admin === true),
    ...peerRoutes(app),
    documentRoute(() => document),
  ]
  const document = openApi(routes, version, token !== undefined)
  const allowed = methodsAt(routes)
  const notFound = ({ method, url }: FastifyRequest, reply: FastifyReply): HttpProblem => {
    const path = url.split('?')[0] as string
    const methods = allowed(path)
    if (methods === undefined)
      return new HttpProblem(404, `There is no ${method} ${path}; /openapi.json lists what there is`)
    void reply.header('allow', methods.join(', '))
    return new HttpProblem(405, `There is no ${method} ${path}; it takes ${methods.join(' and ')}`)
  }
  // with a callback: a promise a hook is what a read of a row would feel
  server.addHook('onRequest', (request, reply, done) => {
    void reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
    // before its body is looked at
    done(request.is404 ? notFound(request, reply) : undefined)
  })
  for (const route of routes) {
    const { method, url, params, query = {}, body, open, answer } = route
    server.route({
      method,
      url,
      schema: {
        ...(params === undefined ? {} : { params: object(params) }),
        querystring: closed(object(schemasOf(query), required(query))),
        ...(body === undefined ? {} : { body: closed(body) }),
      },
      ...readParameters(query),
      onRequest: (request, _, done) => {
        if (open === undefined) check(request)
        done()
      },
      handler: (request, reply) =>
        answer({
          params: request.params as Record<string, string>,
          query: request.query as Record<string, unknown>,
          body: request.body,
          request,
          reply,
        }),
    })
  }
  const open = token === undefined ? check : () => {}
  serveConsole(server, open)
  servePages(server, pages, open)
  try {
    await server.listen({ port, host })
  } catch (cause) {
    sampler[Symbol.dispose]()
    inputs[Symbol.dispose]()
    throw new DhaaraError('DHAARA_OPTION', `http cannot listen on ${host}:${port}: ${(cause as Error).message}`, {
      cause,
    })
  }
  const { port: actual } = server.server.address() as AddressInfo
  const url = `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${actual}`
  logger.info({ url }, 'http')
  return {
    url,
    advertised: advertisedBy(options, url),
    checkpoint(info) {
      metrics.checkpoint(info)
      sampler.checkpoint(info)
    },
    restore: (info) => metrics.restore(info),
    [Symbol.asyncDispose]: async () => {
      sampler[Symbol.dispose]()
      inputs[Symbol.dispose]()
      await server.close()
    },
  }
}

const documentRoute = (answer: () => unknown): Route => ({
  method: 'GET',
  url: '/openapi.json',
  id: 'openApi',
  tag: 'app',
  summary: 'This document',
  gives: { 'application/json': anything },
  answer,
})

type Query = NonNullable<Route['query']>

const required = (query: Query): string[] =>
  Object.entries(query).flatMap(([name, parameter]) => (parameter.required ? [name] : []))

const schemasOf = (query: Query): Record<string, Schema> =>
  Object.fromEntries(Object.entries(query).map(([name, { schema }]) => [name, schema]))
