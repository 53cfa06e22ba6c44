import type { RemoteLog } from '../../connectors/broker/remote.ts'
import { RemoteLetters } from '../remote/letters.ts'
import { readFileSync } from 'node:fs'
import type { LetterPage, LettersDone, LettersRequest } from '../../connectors/broker/dead-letter.ts'
import type { ReadableLog } from '../../connectors/broker/log.ts'
import type { Topology } from '../../dsl/topology/index.ts'
import type {
  CheckpointInfo,
  HttpOptions,
  HttpServer,
  InputPosition,
  Letters,
  RestoreInfo,
  Served,
  StoreInfo,
  TaskInfo,
} from '../../http/index.ts'
import type { PhysicalPlan } from '../plan/physical.ts'
import { DhaaraError } from '../../errors/index.ts'
import { type AnyStoreQuery, storeLayout } from '../query/index.ts'
import type { SentQuestion } from '../remote/queries/peer-rows.ts'
import type { Routing } from '../remote/queries/routing.ts'
import type { AppState } from '../runtime/lifecycle.ts'
import { topicsOf } from '../runtime/inputs/topics.ts'
import type { Engine } from './engine.ts'
import { serdesOf } from './observe.ts'
import type { Settings } from './settings/options.ts'
import type { Savepoint } from './state/savepoint.ts'

/** An app, as far as it is served. */
export interface ServedApp {
  readonly state: AppState
  store(name: string): AnyStoreQuery
  metrics(): Readonly<Record<string, number>>
  savepoint(folder: string): Promise<Savepoint>
}

/** What there is of a running app. */
export interface ServedParts {
  readonly app: ServedApp
  readonly settings: Settings
  readonly startedAt: number
  readonly topology: Topology
  readonly plan: PhysicalPlan
  readonly workers: number
  /** @throws DhaaraError DHAARA_APP_STATE where none runs */
  engine(): Engine
  /** The topics, where they lie in this process. */
  log(): ReadableLog | undefined
  /** The topics, where they lie elsewhere. */
  remoteLog(): RemoteLog | undefined
  /** What answers other instances; absent where there are none. @throws DhaaraError DHAARA_APP_STATE */
  peers?(): Routing | undefined
  /** What the owner of the directory answers; undefined where there is none. */
  request(name: string, params: unknown): unknown
}

/** Checkpoints that are remembered. */
const remembered = 100

/** The HTTP server of an app. */
export class Serving {
  private readonly recent: CheckpointInfo[] = []
  private server: HttpServer | undefined

  /** @throws DhaaraError DHAARA_OPTION if it cannot listen there */
  async start(options: HttpOptions, parts: ServedParts): Promise<void> {
    // loaded by those alone who serve
    const { serveApp } = await import('../../http/index.ts')
    const { logger } = parts.settings
    this.server = await serveApp(this.served(parts), options, { version: version(), logger })
  }

  get url(): string | undefined {
    return this.server?.url
  }

  /** URL where other instances reach it. */
  get advertised(): string | undefined {
    return this.server?.advertised
  }

  checkpoint(info: CheckpointInfo): void {
    this.recent.push(info)
    if (this.recent.length > remembered) this.recent.shift()
    this.server?.checkpoint(info)
  }

  restore(info: RestoreInfo): void {
    this.server?.restore(info)
  }

  async stop(): Promise<void> {
    const { server } = this
    this.server = undefined
    await server?.[Symbol.asyncDispose]()
  }

  private served(parts: ServedParts): Served {
    const { app, settings, startedAt, topology, plan, workers, engine, log, remoteLog, request, peers } = parts
    const { deadLetterTopic } = settings
    return {
      applicationId: settings.applicationId,
      startedAt,
      get state() {
        return app.state
      },
      topology: () => topology,
      store: (name) => app.store(name),
      metrics: () => app.metrics(),
      savepoint: (folder) => app.savepoint(folder),
      meters: () => engine().meters,
      serdes: (topic) => serdesOf(plan.logical, topic),
      letters: () => {
        const away = remoteLog()
        if (away !== undefined) return remoteLetters(deadLetterTopic, new RemoteLetters(away))
        return log() === undefined ? undefined : lettersOf(deadLetterTopic, request)
      },
      plan: () => plan,
      checkpoints: () => this.recent,
      log,
      remoteLog,
      stores: () => storesOf(plan, engine()),
      tasks: () => tasksOf(plan, engine(), workers),
      positions: () => positionsOf(plan, engine(), log()),
      ...(peers === undefined ? {} : { answerPeer: (question) => answerOf(peers(), question) }),
    }
  }
}

function answerOf(routing: Routing | undefined, question: unknown): AsyncIterator<Uint8Array> {
  if (routing === undefined) throw new DhaaraError('DHAARA_RESTORING', 'this instance is starting; ask again')
  return routing.answer(question as SentQuestion)
}

const remoteLetters = (topic: string, letters: RemoteLetters): Letters => ({
  topic,
  list: (filter, limit, before) => letters.list(topic, filter, limit, before),
  replay: (filter) => letters.replay(topic, filter),
  drop: (filter) => letters.drop(topic, filter),
})

function lettersOf(topic: string, request: ServedParts['request']): Letters {
  return {
    topic,
    list: (filter, limit, before) =>
      request('letters.list', { from: topic, filter, limit, before } satisfies LettersRequest) as LetterPage,
    replay: (filter) => request('letters.replay', { from: topic, filter } satisfies LettersRequest) as LettersDone,
    drop: (filter) => request('letters.drop', { from: topic, filter } satisfies LettersRequest) as LettersDone,
  }
}

function storesOf(plan: PhysicalPlan, { partitions }: Engine): StoreInfo[] {
  return [...plan.stores.keys()].map((name) => {
    const sub = plan.subs.find(({ stores }) => stores.some((store) => store.name === name))
    return {
      name,
      kind: kindOf(plan, name),
      partitions: sub === undefined ? 0 : (partitions[sub.id] ?? 0),
      indexes: Object.keys(plan.stores.get(name)?.indexes ?? {}),
    }
  })
}

function kindOf(plan: PhysicalPlan, name: string): StoreInfo['kind'] {
  try {
    const { kind } = storeLayout(plan, name).shape
    return kind === 'keyValue' || kind === 'list' ? kind : 'window'
  } catch {
    return 'inner'
  }
}

function tasksOf(plan: PhysicalPlan, { partitions, hosts }: Engine, workers: number): TaskInfo[] {
  const placeOf = (id: string, partition: number): Pick<TaskInfo, 'worker' | 'at'> => {
    if (hosts === undefined) return workers === 0 ? {} : { worker: partition % workers }
    const at = hosts.find(({ tasks }) => tasks.includes(id))?.at
    return at === undefined ? {} : { at }
  }
  return plan.subs.flatMap(({ id: sub, name, stores }) =>
    Array.from({ length: partitions[sub] ?? 0 }, (_, partition) => {
      const id = `${sub}_${partition}`
      return { id, subTopology: name, partition, stores: stores.map((store) => store.name), ...placeOf(id, partition) }
    }),
  )
}

function positionsOf(plan: PhysicalPlan, engine: Engine, log: ReadableLog | undefined): InputPosition[] {
  if (log === undefined) return positionsTold(engine)
  const topics = log.topics()
  const names = topics.map(({ name }) => name)
  const read = new Set(plan.logical.nodes.flatMap((node) => (node.kind === 'source' ? topicsOf(node, names) : [])))
  return topics
    .filter(({ name }) => read.has(name))
    .flatMap(({ name, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => ({
        topic: name,
        partition,
        position: engine.positionOf?.(name, partition),
      })),
    )
}

/** As tasks tell: of those that this instance has. A partition that several read was processed as far as the slowest has. */
function positionsTold({ meters }: Engine): InputPosition[] {
  const found = new Map<string, InputPosition>()
  for (const { inputs } of meters.tasks()) {
    for (const input of inputs) {
      const name = `${input.partition}/${input.topic}`
      if (input.position < (found.get(name)?.position ?? Number.POSITIVE_INFINITY)) found.set(name, input)
    }
  }
  return [...found.values()]
}

function version(): string {
  const file = new URL('../../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version
}
