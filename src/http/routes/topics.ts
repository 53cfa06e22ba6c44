import type { FetchedBatch } from '../../connectors/broker/index.ts'
import type { ReadableLog } from '../../connectors/broker/log.ts'
import { toJson } from '../../engine/query/index.ts'
import { readRange } from '../../engine/remote/read-range.ts'
import { HttpProblem } from '../problem.ts'
import { anything, integer, list, object, type Route, text } from '../route.ts'
import type { Served, TopicSerde } from '../served.ts'

const mostRecords = 1000
const record = object(
  {
    partition: integer,
    offset: integer,
    timestamp: { type: 'number' },
    key: anything,
    value: anything,
    headers: { type: 'object', additionalProperties: { type: 'string' } },
  },
  ['partition', 'offset', 'timestamp', 'key', 'value'],
)

/** What lies in topics. */
export function topicRoutes(app: Served): Route[] {
  return [
    {
      method: 'GET',
      url: '/api/topics/:topic/records',
      id: 'readRecords',
      tag: 'topics',
      summary:
        'Records of a topic, decoded as the topology does: from an offset of a partition on, or the last of each',
      params: { topic: text },
      query: {
        partition: { schema: { type: 'integer', minimum: 0, maximum: 65_535 }, description: 'default: all' },
        from: {
          schema: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
          description: 'offset; default: the last',
        },
        limit: {
          schema: { type: 'integer', minimum: 1, maximum: mostRecords, default: 50 },
          description: 'records a partition',
        },
        most: mostParameter,
      },
      gives: { 'application/json': object({ records: list(record) }) },
      refuses: [404, 503],
      answer: async ({ params, query, reply }) => {
        const name = params['topic'] as string
        const log = app.log() ?? (await fromElsewhere(app, name, query as unknown as Where))
        if (log === undefined) throw new HttpProblem(503, 'The app is not connected to its broker yet; ask again')
        const topic = log.topic(name)
        if (topic === undefined) throw new HttpProblem(404, `There is no topic '${name}'; /api/topics lists them`)
        const { partition, from, limit, most } = query as {
          partition?: number
          from?: number
          limit: number
          most?: number
        }
        if (partition !== undefined && partition >= topic.partitions)
          throw new HttpProblem(404, `Topic '${name}' has ${topic.partitions} partitions; there is no ${partition}`)
        const wanted = partition === undefined ? Array.from({ length: topic.partitions }, (_, p) => p) : [partition]
        const serdes = app.serdes(name)
        const rows = wanted.flatMap((p) => {
          const start = Math.max(log.startOffset(name, p), from ?? log.endOffset(name, p) - limit)
          const found: string[] = []
          for (let at = start; found.length < limit; ) {
            const batch = log.fetch(name, p, at)
            if (batch === undefined) break
            for (let i = 0; i < batch.count && found.length < limit; i++)
              if ((batch.offsets[i] as number) >= start) found.push(recordText(batch, i, name, { ...serdes, most }))
            at = batch.nextOffset
          }
          return found
        })
        return reply.type('application/json; charset=utf-8').send(`{"records":[${rows.join(',')}]}`)
      },
    },
  ]
}

interface Where {
  readonly partition?: number
  readonly from?: number
  readonly limit: number
}

/** What is asked for of a topic on another broker: read now, no further than it is decided. */
async function fromElsewhere(
  app: Served,
  name: string,
  { partition, from, limit }: Where,
): Promise<ReadPart | undefined> {
  const remote = app.remoteLog()
  if (remote === undefined) return undefined
  const [topic] = await remote.describe([name])
  const all = Array.from({ length: topic?.partitions ?? 0 }, (_, p) => ({ topic: name, partition: p }))
  const [starts, ends] = await Promise.all([remote.offsets(all, 'earliest'), remote.offsets(all, 'latest')])
  const wanted = all.filter((one) => partition === undefined || one.partition === partition)
  const read = await Promise.all(
    wanted.map(async ({ partition: p }) => {
      const end = ends[p] as number
      const start = Math.max(starts[p] as number, from ?? end - limit)
      const found: FetchedBatch[] = []
      let count = 0
      for await (const batch of readRange(remote, name, p, start, end)) {
        found.push(batch)
        count += batch.count
        if (count >= limit) break
      }
      return [p, found] as const
    }),
  )
  const batches = new Map(read)
  return {
    topic: () => topic,
    startOffset: (_, p) => starts[p] as number,
    endOffset: (_, p) => ends[p] as number,
    fetch: (_, p, at) => batches.get(p)?.find(({ nextOffset }) => nextOffset > at),
  }
}

type ReadPart = Pick<ReadableLog, 'topic' | 'startOffset' | 'endOffset' | 'fetch'>
type Serdes = ReturnType<Served['serdes']> & { readonly most?: number | undefined }

function recordText(batch: FetchedBatch, i: number, topic: string, { key, value, most }: Serdes): string {
  const { data, keyStart, keyEnd, valueStart, valueEnd } = batch
  const part = (start: number, end: number) => (start < 0 ? null : data.subarray(start, end))
  const headers = batch.headers?.[i]
  const fields = {
    partition: String(batch.partition),
    offset: String(batch.offsets[i]),
    timestamp: String(batch.timestamps[i]),
    key: cut(shown(part(keyStart[i] as number, keyEnd[i] as number), key, topic), most),
    value: cut(shown(part(valueStart[i] as number, valueEnd[i] as number), value, topic), most),
    ...(headers === undefined
      ? {}
      : { headers: toJson(Object.fromEntries(headers.map(([name, bytes]) => [name, Buffer.from(bytes).toString()]))) }),
  }
  return `{${Object.entries(fields)
    .map(([name, json]) => `"${name}":${json}`)
    .join(',')}}`
}

/** A list that is asked for again and again has no use for megabytes. */
export const mostParameter: NonNullable<Route['query']>[string] = {
  schema: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
  description: 'characters of a key or value; of a longer one {"cut": its beginning, "characters": all of them}',
}

/** JSON as it is, or of what is longer the beginning. */
export const cut = (json: string, most = Number.POSITIVE_INFINITY): string =>
  json.length <= most ? json : JSON.stringify({ cut: json.slice(0, most), characters: json.length })

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** As JSON: what the serde makes of it; else what it looks like. */
export function shown(bytes: Uint8Array | null, serde: TopicSerde | undefined, topic: string): string {
  if (bytes === null) return 'null'
  try {
    if (serde !== undefined) return toJson(serde.deserialize(bytes, topic))
  } catch {
    // told as it lies there
  }
  try {
    const text = utf8.decode(bytes)
    try {
      return JSON.stringify(JSON.parse(text))
    } catch {
      return JSON.stringify(text)
    }
  } catch {
    return toJson(bytes)
  }
}
