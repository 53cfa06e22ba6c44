import type { ReadableLog, TopicInfo } from '../../connectors/broker/log.ts'
import { graphOf } from '../live/graph.ts'
import type { AppMetrics } from '../metrics.ts'
import { HttpProblem } from '../problem.ts'
import { anything, integer, list, number, object, oneOf, type Route, text } from '../route.ts'
import type { Served } from '../served.ts'

const parts = {
  type: 'object',
  additionalProperties: number,
  description: 'ms by part: barrier, flush, commit, write or sync',
}
const checkpoint = object({ epoch: integer, at: number, ms: number, bytes: integer, parts }, [
  'epoch',
  'at',
  'ms',
  'bytes',
])
const status = object({ status: text, state: text })

/** Health, metrics, and what the app is and does. */
export function appRoutes(
  app: Served,
  metrics: AppMetrics,
  { version, admin, pages }: { readonly version: string; readonly admin: boolean; readonly pages: readonly string[] },
): Route[] {
  return [
    {
      method: 'GET',
      url: '/livez',
      id: 'isAlive',
      tag: 'health',
      summary: 'The process answers, and the app has not failed',
      gives: { 'application/json': status },
      refuses: [503],
      open: true,
      answer: () => {
        if (app.state === 'failed') throw new HttpProblem(503, 'The app has failed; its log says why')
        return { status: 'ok', state: app.state }
      },
    },
    {
      method: 'GET',
      url: '/readyz',
      id: 'isReady',
      tag: 'health',
      summary: 'The app runs, and its stores can be asked',
      gives: { 'application/json': status },
      refuses: [503],
      open: true,
      answer: () => {
        if (app.state !== 'running') throw new HttpProblem(503, `The app is ${app.state}`)
        return { status: 'ok', state: app.state }
      },
    },
    {
      method: 'GET',
      url: '/metrics',
      id: 'prometheusMetrics',
      tag: 'metrics',
      summary: 'Metrics as Prometheus reads them',
      gives: { 'text/plain': text },
      answer: async ({ reply }) => reply.type(metrics.contentType).send(await metrics.text()),
    },
    {
      method: 'GET',
      url: '/api/app',
      id: 'describeApp',
      tag: 'app',
      summary: 'Which app this is, and how it is',
      gives: {
        'application/json': object({
          applicationId: text,
          version: text,
          state: text,
          upMs: number,
          metrics: { type: 'object', additionalProperties: { type: ['number', 'null'] } },
          pages: list(text),
        }),
      },
      answer: () => ({
        applicationId: app.applicationId,
        version,
        state: app.state,
        upMs: Math.round(performance.now() - app.startedAt),
        metrics: app.metrics(),
        pages,
      }),
    },
    {
      method: 'GET',
      url: '/api/topology',
      id: 'describeTopology',
      tag: 'app',
      summary: 'The steps, and how they hang together',
      query: { format: { schema: { ...oneOf('json', 'text', 'mermaid', 'dot'), default: 'json' } } },
      gives: { 'application/json': anything, 'text/plain': text },
      refuses: [503],
      answer: ({ query, reply }) => {
        const topology = app.topology()
        const { format } = query
        if (format === 'json') return topology.toJSON()
        const plain =
          format === 'mermaid' ? topology.toMermaid() : format === 'dot' ? topology.toDot() : topology.describe()
        return reply.type('text/plain; charset=utf-8').send(plain)
      },
    },
    {
      method: 'GET',
      url: '/api/tasks',
      id: 'listTasks',
      tag: 'app',
      summary: 'The tasks: a sub-topology and a partition each',
      gives: {
        'application/json': list(
          object({ id: text, subTopology: text, partition: integer, worker: integer, at: text, stores: list(text) }, [
            'id',
            'subTopology',
            'partition',
            'stores',
          ]),
        ),
      },
      refuses: [503],
      answer: () => app.tasks(),
    },
    {
      method: 'GET',
      url: '/api/checkpoints',
      id: 'listCheckpoints',
      tag: 'app',
      summary: 'The last checkpoints, newest last',
      gives: { 'application/json': list(checkpoint) },
      answer: () => app.checkpoints(),
    },
    {
      method: 'POST',
      url: '/api/savepoints',
      id: 'makeSavepoint',
      tag: 'app',
      summary: 'Write all state into a new folder of the machine that the app runs on, while it goes on',
      body: object({ folder: { ...text, minLength: 1 } }),
      gives: {
        'application/json': object({ folder: text, app: text, createdAt: text, stores: integer, rows: integer }),
      },
      refuses: [403, 409, 503],
      answer: async ({ body }) => {
        if (!admin)
          throw new HttpProblem(403, 'The server of this app is there to read only; give it http: {admin: true}')
        const { folder } = body as { readonly folder: string }
        const { app: id, createdAt, stores } = await app.savepoint(folder)
        const rows = stores.reduce((sum, { files }) => files.reduce((n, file) => n + file.rows, sum), 0)
        return { folder, app: id, createdAt, stores: stores.length, rows }
      },
    },
    {
      method: 'GET',
      url: '/api/topics',
      id: 'listTopics',
      tag: 'topics',
      summary:
        'The topics of the embedded log, or of the topology; their partitions, and how far inputs were processed',
      gives: {
        'application/json': list(
          object({
            name: text,
            partitions: list(object({ start: integer, end: integer, position: integer }, ['start', 'end'])),
          }),
        ),
      },
      refuses: [503],
      answer: async () => {
        const positions = app.positions()
        const log = app.log() ?? (await topicsElsewhere(app))
        return log.topics().map(({ name, partitions }) => ({
          name,
          partitions: Array.from({ length: partitions }, (_, p) => {
            const position = positions.find(({ topic, partition }) => topic === name && partition === p)?.position
            const [start, end] = [log.startOffset(name, p), log.endOffset(name, p)]
            return position === undefined ? { start, end } : { start, end: Math.max(end, position), position }
          }),
        }))
      },
    },
  ]
}

/** Those on another broker that the topology names or reads, and its dead letters: others may have thousands there. */
async function topicsElsewhere(app: Served): Promise<TopicEnds> {
  const remote = app.remoteLog()
  if (remote === undefined) return { topics: () => [], startOffset: () => 0, endOffset: () => 0 }
  const named = graphOf(app.plan()).nodes.flatMap(({ topics }) => topics)
  const read = app.positions().map(({ topic }) => topic)
  const letters = app.letters()?.topic
  const names = new Set([...named, ...read, ...(letters === undefined ? [] : [letters])])
  // a pattern is no name
  const topics = await remote.describe([...names].filter((name) => /^[\w.-]+$/.test(name)).toSorted())
  const all = topics.flatMap(({ name: topic, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
  )
  const [starts, ends] = await Promise.all([remote.offsets(all, 'earliest'), remote.offsets(all, 'latest')])
  const at = new Map(all.map(({ topic, partition }, i) => [`${partition}/${topic}`, i]))
  const of = (offsets: readonly number[]) => (topic: string, partition: number) =>
    offsets[at.get(`${partition}/${topic}`) ?? -1] ?? 0
  return { topics: () => topics, startOffset: of(starts), endOffset: of(ends) }
}

interface TopicEnds extends Pick<ReadableLog, 'startOffset' | 'endOffset'> {
  topics(): readonly TopicInfo[]
}
