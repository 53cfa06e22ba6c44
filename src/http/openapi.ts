import { STATUS_CODES } from 'node:http'
import { problemType } from './problem.ts'
import { closed, integer, object, type Parameter, type Route, type Schema, text } from './route.ts'

const problem: Schema = object({ type: text, title: text, status: integer, detail: text, code: text }, [
  'type',
  'title',
  'status',
  'detail',
])

/** An OpenAPI 3.1 document of the routes. */
export function openApi(routes: readonly Route[], version: string, secured: boolean): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const route of routes) {
    const path = route.url.replace(/:([a-z]+)/gi, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route, secured) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'dhaara', version, description: 'What a running app shows: its stores, topics, tasks and health.' },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: { Problem: problem },
      ...(secured ? { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } } : {}),
    },
  }
}

function operation(route: Route, secured: boolean): object {
  const { id, tag, summary, params = {}, query = {}, body, gives, refuses = [], open } = route
  const content = Object.fromEntries(Object.entries(gives).map(([type, schema]) => [type, { schema }]))
  const statuses = [
    400,
    ...refuses,
    ...(body === undefined ? [] : [413, 415]),
    ...(secured && open === undefined ? [401] : []),
    500,
  ]
  return {
    operationId: id,
    tags: [tag],
    summary,
    parameters: [
      ...Object.entries(params).map(([name, schema]) => ({ name, in: 'path', required: true, schema })),
      ...Object.entries(query).map(([name, parameter]) => parameterOf(name, parameter)),
    ],
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: closed(body) } } } }),
    responses: {
      200: { description: 'OK', content },
      ...Object.fromEntries(
        statuses.map((status) => [
          status,
          {
            description: STATUS_CODES[status],
            content: { [problemType]: { schema: { $ref: '#/components/schemas/Problem' } } },
          },
        ]),
      ),
    },
    ...(secured && open === undefined ? { security: [{ token: [] }] } : {}),
  }
}

function parameterOf(name: string, { schema, means = schema, json, description, required }: Parameter): object {
  const about = {
    name,
    in: 'query',
    required: required === true,
    ...(description === undefined ? {} : { description }),
  }
  return json ? { ...about, content: { 'application/json': { schema: means } } } : { ...about, schema: means }
}
