import type { HttpOptions } from '../../http/index.ts'
import { DhaaraError } from '../../errors/index.ts'
import { pastStore } from '../../state/stores/index.ts'
import {
  frameKind,
  frameOf,
  indexStore,
  type OwnParts,
  OwnRows,
  type Places,
  type QuestionOf,
  RoutedRows,
  type RowSource,
  rowsFrame,
  storeLayout,
  type StoreLayout,
} from '../query/index.ts'
import type { PhysicalPlan } from '../plan/physical.ts'
import { taskName } from './assignor.ts'
import type { HostTasks } from './membership.ts'
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
  /** As counted while they were written; undefined where some task does not know. */
  rowsHere(layout: StoreLayout, partitions: readonly number[]): number | undefined
}

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
    return {
      here,
      own: new OwnRows(own, { ...how, partitions: here }),
      others,
      checkComplete() {
        if (nowhere.length > 0)
          throw new DhaaraError(
            'DHAARA_MOVED',
            `partitions ${nowhere.join(', ')} of store '${layout.name}' are on their way between instances; ask again`,
          )
        for (const host of there.keys()) {
          if (host.at !== undefined) continue
          throw new DhaaraError(
            'DHAARA_UNSUPPORTED',
            `instance ${host.instance} has rows of store '${layout.name}' and cannot be asked for them by ${instance}: give each instance http: {port}`,
          )
        }
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
