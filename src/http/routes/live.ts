import type { EventStreams } from '../events.ts'
import { graphOf } from '../live/graph.ts'
import type { Sampler } from '../live/sampler.ts'
import { anything, eventStream, integer, list, number, object, type Route, text } from '../route.ts'
import type { Served } from '../served.ts'

const id = integer
const nullable = (type: string) => ({ type: [type, 'null'] })
const graph = object({
  subs: list(object({ id, name: text })),
  nodes: list(
    object(
      {
        id,
        name: text,
        kind: text,
        sub: integer,
        table: { type: 'boolean' },
        stores: list(text),
        topics: list(text),
        site: text,
        passes: { type: 'boolean' },
      },
      ['id', 'name', 'kind', 'sub', 'table', 'stores', 'topics', 'passes'],
    ),
  ),
  edges: list(object({ from: id, to: id, shuffle: { type: 'boolean' } })),
})
const counts = { type: 'object', additionalProperties: { type: 'integer' } }
const percentiles = {
  ...object({ count: number, p50: number, p99: number, p999: number, max: number }),
  type: ['object', 'null'],
}
const tick = object({
  at: integer,
  state: text,
  upMs: integer,
  recordsIn: integer,
  recordsOut: integer,
  steps: list(object({ id, in: integer, out: integer, busyMs: number, dropped: counts })),
  tasks: list(
    object({
      id: text,
      sub: integer,
      partition: integer,
      worker: nullable('integer'),
      processed: integer,
      backlog: integer,
      busyMs: number,
      blockedMs: number,
      waitingMs: number,
      watermark: nullable('number'),
      streamTime: nullable('number'),
    }),
  ),
  inputs: list(object({ topic: text, partition: integer, position: nullable('integer'), end: integer })),
  stores: list(object({ name: text, rows: integer })),
  latency: percentiles,
  checkpoints: object({ count: integer, ms: nullable('number'), maxMs: nullable('number'), bytes: integer }),
  process: object({ cpu: number, rssBytes: integer, heapBytes: integer, loopMs: number }),
  errors: object({ count: integer, kinds: integer }),
})

/** What the console shows: the steps, what they do each second, what went wrong. */
export function liveRoutes(app: Served, sampler: Sampler, events: EventStreams): Route[] {
  return [
    {
      method: 'GET',
      url: '/api/graph',
      id: 'describeGraph',
      tag: 'live',
      summary: 'The steps as they run, and how records go between them',
      gives: { 'application/json': graph },
      refuses: [503],
      answer: () => graphOf(app.plan()),
    },
    {
      method: 'GET',
      url: '/api/now',
      id: 'sampleApp',
      tag: 'live',
      summary: 'How steps, tasks, inputs and the process are: totals since the start, as of the last second',
      gives: { 'application/json': tick },
      refuses: [503],
      answer: () => sampler.tick,
    },
    {
      method: 'GET',
      url: '/api/live',
      id: 'watchApp',
      tag: 'live',
      summary: 'The last ten minutes (event: history), then what /api/now shows, each second (event: tick)',
      gives: { 'text/event-stream': eventStream },
      refuses: [429, 503],
      answer: (asked) => events.sendLive(asked, sampler),
    },
    {
      method: 'GET',
      url: '/api/errors',
      id: 'listErrors',
      tag: 'live',
      summary: 'What went wrong with records, by kind, the last first: where, how often, what was done',
      gives: { 'application/json': list(anything) },
      refuses: [503],
      answer: () => app.meters().errors(),
    },
  ]
}
