import type { HttpOptions } from '../../../http/index.ts'
import { DhaaraError } from '../../../errors/index.ts'
import { pastStore } from '../../../state/stores/index.ts'
import {
  type Begun,
  changeFrame,
  frameKind,
  frameOf,
  type Inbox,
  indexStore,
  mergeChanges,
  type OwnParts,
  OwnRows,
  type Places,
  type Question,
  type QuestionOf,
  RoutedRows,
  type RowChange,
  type RowPages,
  type RowSource,
  rowsFrame,
  storeLayout,
  type StoreLayout,
  type Watched,
  watchedOf,
  type WatchFrom,
  type WatchRows,
  watchRows,
} from '../../query/index.ts'
import type { PhysicalPlan } from '../../plan/physical.ts'
import { taskName } from '../group/assignor.ts'
import type { HostTasks } from '../group/told.ts'
import { PeerClient } from './peer-client.ts'
import { type Envelope, PeerRows, questionIn, type SentQuestion } from './peer-rows.ts'

/** What the group has told of who has which tasks. */
export interface GroupView {
  readonly generation: number
  readonly hosts: readonly HostTasks[]
}

export interface RoutingParts {
  readonly app: string
  readonly instance: string
  readonly topology: string
  readonly plan: PhysicalPlan
  readonly http: HttpOptions
  readonly own: OwnParts
  view(): GroupView
  partitions(layout: StoreLayout): number
  partitionsHere(layout: StoreLayout): readonly number[]
  readonly beginWatch: (
    layout: StoreLayout,
    partitions: readonly number[],
    watched: Watched,
    from: WatchFrom,
    inbox: Inbox,
    rows: () => RowPages,
  ) => Promise<Begun>
  /** As counted while they were written; undefined where some task does not know. */
  rowsHere(layout: StoreLayout, partitions: readonly number[]): number | undefined
}

/** Others give up whom they do not hear of for a few times as long, ms. */
const heartbeat = 1000

export type How = Pick<QuestionOf, 'isolation' | 'settled'>

/**
 * Where the rows of stores are that are spread over an app's instances. Each instance answers for the partitions that it has,
 * and for no others: whoever is asked by an instance asks nobody else, so that no question goes round in circles.
 */
export class Routing {
  private readonly parts: RoutingParts
  private readonly client: PeerClient

  constructor(parts: RoutingParts) {
    this.parts = parts
    this.client = new PeerClient(parts.http)
  }

  rows(how: How, signal: AbortSignal | undefined): RowSource {
    return new RoutedRows((layout) => this.placesOf(layout, how, signal))
  }

  /** Of all instances. It ends where a task that is watched goes to another one. */
  watch(layout: StoreLayout): WatchRows {
    return (watched, from, signal) => {
      const places = this.placesOf(layout, { isolation: 'committed', settled: false }, undefined)
      places.checkComplete()
      const own = places.here.length === 0 ? [] : [this.watchHere(layout, places.here, watched, from, signal)]
      return mergeChanges([...own, ...places.others.map((place) => place.watch(layout, watched.what, from, signal))])
    }
  }

  /** Of all instances; undefined where one does not know. */
  async estimate(layout: StoreLayout): Promise<number | undefined> {
    const how: How = { isolation: 'committed', settled: false }
    const places = this.placesOf(layout, how, undefined)
    places.checkComplete()
    const own = this.parts.rowsHere(layout, places.here)
    const counts = [own, ...(await Promise.all(places.others.map((place) => place.estimate(layout))))]
    return counts.reduce((sum, n) => (sum === undefined || n === undefined ? undefined : sum + n), 0)
  }

  /**
   * The answer to another instance, frame by frame.
   *
   * @throws DhaaraError from the first frame: DHAARA_MOVED, DHAARA_STORE_UNKNOWN
   */
  async *answer(sent: SentQuestion): AsyncGenerator<Uint8Array, void> {
    this.checkEnvelope(sent)
    const { own, plan, rowsHere } = this.parts
    const layout = layoutOf(plan, sent.store)
    const question = questionIn(sent)
    own.check(layout, sent.partitions)
    const rows = new OwnRows(own, sent)
    if (question.type === 'get') yield rowsFrame(await rows.get(layout, question.keys))
    else if (question.type === 'estimate') {
      const count = rowsHere(layout, sent.partitions)
      if (count !== undefined) yield frameOf(frameKind.number, numberBytes(count))
    } else if (question.type === 'watch') {
      yield* this.answerWatch(layout, sent.partitions, question)
    } else {
      const pages = question.type === 'scan' ? rows.scan(layout, question) : rows.windows(layout, question)
      try {
        for (let page = await pages.next(); page.length > 0; page = await pages.next()) yield rowsFrame(page)
      } finally {
        pages.close()
      }
    }
    yield frameOf(frameKind.end)
  }

  close(): void {
    this.client.close()
  }

  private watchHere(
    layout: StoreLayout,
    partitions: readonly number[],
    watched: Watched,
    from: WatchFrom,
    signal: AbortSignal,
  ): AsyncIterable<RowChange> {
    const { own, beginWatch } = this.parts
    const rows = (): RowPages =>
      new OwnRows(own, { partitions, isolation: 'committed', settled: false }).scan(layout, {
        ...watched.bounds,
        reverse: false,
      })
    const begin = async (inbox: Inbox): Promise<Begun> => {
      const begun = await beginWatch(layout, partitions, watched, from, inbox, rows)
      own.check(layout, partitions)
      return begun
    }
    return watchRows(begin, watched, signal)
  }

  /** Silence would be taken for the end. */
  private async *answerWatch(
    layout: StoreLayout,
    partitions: readonly number[],
    { what, from }: Extract<Question, { type: 'watch' }>,
  ): AsyncGenerator<Uint8Array, void> {
    const ending = new AbortController()
    const changes = this.watchHere(layout, partitions, watchedOf(layout, what), from, ending.signal)[
      Symbol.asyncIterator
    ]()
    try {
      for (let next = changes.next(); ; ) {
        let timer: NodeJS.Timeout | undefined
        const silent = new Promise<undefined>((resolve) => {
          timer = setTimeout(() => resolve(undefined), heartbeat)
        })
        next.catch(() => {})
        const result = await Promise.race([next, silent])
        clearTimeout(timer)
        if (result === undefined) yield frameOf(frameKind.alive)
        else if (result.done) throw new DhaaraError('DHAARA_MOVED', 'the instance ends, and its tasks go to others')
        else {
          next = changes.next()
          yield changeFrame(result.value)
        }
      }
    } finally {
      ending.abort()
    }
  }

  private placesOf(
    layout: StoreLayout,
    how: How,
    signal: AbortSignal | undefined,
  ): Omit<Places, 'others'> & { readonly here: readonly number[]; readonly others: readonly PeerRows[] } {
    const { app, topology, own, instance } = this.parts
    const { generation, hosts } = this.parts.view()
    const { here, there, nowhere } = this.spread(layout, hosts)
    const others = Array.from(there, ([host, partitions]) => {
      const envelope: Envelope = { app, topology, generation, instance: host.instance }
      return new PeerRows(this.client, host.at ?? '', envelope, { ...how, partitions }, signal)
    })
    const ownRows = new OwnRows(own, { ...how, partitions: here })
    const checkKnown = (missing: readonly number[]): void => {
      if (missing.length === 0) return
      throw new DhaaraError(
        'DHAARA_MOVED',
        `partitions ${missing.join(', ')} of store '${layout.name}' are on their way between instances; ask again`,
      )
    }
    const checkOpen = (host: HostTasks): void => {
      if (host.at !== undefined) return
      throw new DhaaraError(
        'DHAARA_UNSUPPORTED',
        `instance ${host.instance} has rows of store '${layout.name}' and cannot be asked for them by ${instance}: give each instance http: {port}`,
      )
    }
    const hostsThere = [...there.keys()]
    return {
      here,
      own: ownRows,
      others,
      placeOf: (key) => {
        const found = layout.placeOf(key, this.parts.partitions(layout))
        if (found === undefined) return undefined
        const { partition, certain } = found
        if (here.includes(partition)) return { place: ownRows, certain }
        const at = hostsThere.findIndex((host) => there.get(host)?.includes(partition))
        const host = hostsThere[at]
        if (certain) {
          if (host === undefined) checkKnown([partition])
          else checkOpen(host)
        }
        const place = host?.at === undefined ? undefined : others[at]
        return place === undefined ? undefined : { place, certain }
      },
      checkComplete() {
        checkKnown(nowhere)
        for (const host of hostsThere) checkOpen(host)
      },
    }
  }

  private spread(layout: StoreLayout, hosts: readonly HostTasks[]) {
    const here = this.parts.partitionsHere(layout)
    const there = new Map<HostTasks, number[]>()
    const nowhere: number[] = []
    const own = new Set(here)
    for (let partition = 0; partition < this.parts.partitions(layout); partition++) {
      if (own.has(partition)) continue
      const task = taskName({ sub: layout.sub, partition })
      const host = hosts.find(({ instance, tasks }) => instance !== this.parts.instance && tasks.includes(task))
      if (host === undefined) nowhere.push(partition)
      else there.set(host, [...(there.get(host) ?? []), partition])
    }
    if (!layout.copies) return { here, there, nowhere }
    // each partition has all rows
    if (here.length > 0) return { here: here.slice(0, 1), there: new Map<HostTasks, number[]>(), nowhere: [] }
    const [one] = there
    if (one === undefined) return { here, there, nowhere }
    return { here, there: new Map([[one[0], one[1].slice(0, 1)]]), nowhere: [] }
  }

  private checkEnvelope({ app, instance, topology, generation }: Envelope): void {
    const { parts } = this
    const refuse = (why: string): never => {
      throw new DhaaraError('DHAARA_MOVED', `${why}; ask again`)
    }
    if (app !== parts.app || instance !== parts.instance)
      refuse(`this is instance ${parts.instance} of app '${parts.app}', not ${instance} of '${app}'`)
    if (topology !== parts.topology) refuse('the instances run different topologies')
    if (generation > parts.view().generation) refuse('the group has gone on, and this instance does not know how yet')
  }
}

/** The past of a versioned store and the indexes of a store lie beside it, under names of their own. */
function layoutOf(plan: PhysicalPlan, name: string): StoreLayout {
  for (const [store, { indexes = {} }] of plan.stores) {
    const beside = [pastStore(store), ...Object.keys(indexes).map((index) => indexStore(store, index))]
    if (beside.includes(name)) return { ...storeLayout(plan, store), name }
  }
  return storeLayout(plan, name)
}

function numberBytes(n: number): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeDoubleLE(n, 0)
  return bytes
}
