import {
  type KStream,
  type Processor,
  type ProcessorContext,
  serdes,
  stores,
  type Window,
  windows,
} from '../../src/index.ts'
import { windowedJson } from '../lib/topics.ts'
import { type Alert, sendAlerts } from './alerts.ts'
import { VIEWERS } from './match.ts'
import { type ByRegion, noDemand, type Region, REGIONS, type Routing, route } from './regions.ts'
import type { Viewing } from './sessions.ts'

const OVERLOAD = 5_000_000

const demandStore = stores.keyValue('demand', { key: serdes.string(), value: serdes.msgpack<ByRegion>() })

/** The load of the regional centres by the minute, and where what is too much for one goes. */
export function demand(viewings: KStream<string, Viewing>): void {
  const closed = viewings
    .groupBy(() => 'india')
    .windowedBy(windows.tumbling('1m').grace('20s'))
    .emit('close')
    .aggregate(
      (): Net => ({ ...noDemand }),
      (net, { region, delta }) => {
        net[region] += delta
        return net
      },
      { store: 'net-demand', merge: together, twoPhase: true },
    )
    .toStream()
    .map((net, { key, window }) => [key, { net, window }])

  const { alert, row } = closed
    .process<string, Alert | Load>(runningDemand, { stores: [demandStore] })
    .split()
    .branch('alert', (value) => 'type' in value)
    .default('row')
  sendAlerts(alert)
  row.map(({ window, ...value }, key) => [{ key, window }, value]).to('hotstar-regions', windowedJson)
}

type Net = Record<Region, number>

/** All of India is one key: its parts are added up where the events are read. */
function together(left: Net, right: Net): Net {
  const sum = { ...left }
  for (const region of REGIONS) sum[region] += right[region]
  return sum
}

interface Closed {
  readonly net: ByRegion
  readonly window: Window
}

type Load = Routing & { readonly demand: ByRegion; readonly window: Window }

function runningDemand(ctx: ProcessorContext<string, string, Alert | Load>): Processor<string, Closed> {
  const store = ctx.store(demandStore)
  return {
    process({ net, window }, india) {
      const before = store.get(india) ?? noDemand
      const now = { ...noDemand }
      for (const region of REGIONS) now[region] = Math.max(0, before[region] + net[region] * VIEWERS)
      store.put(india, now)
      ctx.forward({ window, demand: now, ...route(now) }, india)
      for (const region of REGIONS) {
        if (now[region] <= OVERLOAD || before[region] > OVERLOAD) continue
        const [type, severity, action] = ['REGIONAL_OVERLOAD', 'MEDIUM', 'ACTIVATE_BACKUP_CDNS'] as const
        ctx.forward({ type, severity, region, demand: now[region], at: window.end, action }, region)
      }
    },
  }
}
