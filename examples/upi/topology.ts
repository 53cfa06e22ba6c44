import { csvSink, jsonLinesSink, jsonLinesSource, postgresSink } from '../../src/connectors/index.ts'
import { serdes, stores, StreamsBuilder, type TopologyEnv, windows } from '../../src/index.ts'
import type { Alert, City, Payment } from './events.ts'

/** More payments of one payer within a minute than a person makes. */
export const most = 5
/** Nobody gets from one of the cities to another one so fast. */
export const fastestTravel = 60 * 60_000
/** A payment of so many rupees to somebody who was never paid before. */
export const largeToNew = 20_000

interface Sighting {
  readonly city: City
  readonly at: number
}

/**
 * Payments from a file that grows (or is read to its end) through three rules into alerts, and totals by payer and hour into
 * PostgreSQL or a file.
 *
 * Settings: `in`, the file of payments; `out`, a folder; `postgres`, a URL with a table `spent (payer, hour, payments, rupees)`.
 */
export default ({ settings }: TopologyEnv) => {
  const { in: path = 'payments.jsonl', out = '.', postgres } = settings
  const builder = new StreamsBuilder()
  const payments = builder.source('payments', jsonLinesSource<Payment>({ path, follow: true }), {
    timestamp: (payment) => payment.at,
    keyOf: (payment) => payment.payer,
    watermark: (w) => w.boundedOutOfOrderness('10s'),
    nullKeys: 'drop',
    onInvalid: 'deadLetter',
  })

  const quick = payments
    .groupByKey()
    .windowedBy(windows.tumbling('1m').grace('10s'))
    .emit('close')
    .count({ store: 'velocity' })
    .toStream()
    .filter((count) => count > most)
    .map((count, { key: payer, window }): readonly [string, Alert] => [
      payer,
      { rule: 'velocity', payer, payment: '', at: new Date(window.start), details: `${count} payments in a minute` },
    ])

  const seen = stores.keyValue('last-seen', { key: serdes.string(), value: serdes.json<Sighting>() })
  const travels = payments.process<string, Alert>(
    (ctx) => ({
      process(payment, payer) {
        const { city, at, id } = payment
        const last = ctx.store(seen).get(payer)
        if (last !== undefined && at < last.at) return
        ctx.store(seen).put(payer, { city, at })
        if (last === undefined || last.city === city || at - last.at >= fastestTravel) return
        const minutes = ((at - last.at) / 60_000).toFixed(1)
        const details = `${last.city} to ${city} in ${minutes} minutes`
        ctx.forward({ rule: 'travel', payer, payment: id, at: new Date(at), details }, payer)
      },
    }),
    { stores: [seen], name: 'travel' },
  )

  const strangers = payments
    .selectKey(({ payer, payee }) => `${payer} ${payee}`)
    .deduplicate(() => 0, { within: '7d', store: 'payees' })
    .filter(({ rupees }) => rupees >= largeToNew)
    .map(({ payer, payee, id, at, rupees }): readonly [string, Alert] => [
      payer,
      {
        rule: 'newPayee',
        payer,
        payment: id,
        at: new Date(at),
        details: `Rs ${rupees} to ${payee}, for the first time`,
      },
    ])

  quick
    .merge(travels)
    .merge(strangers)
    .sink(csvSink({ path: `${out}/alerts-{partition}.csv`, columns: ['rule', 'payer', 'payment', 'at', 'details'] }), {
      name: 'alerts',
    })

  const spent = payments
    .groupByKey()
    .windowedBy(windows.tumbling('1h').grace('10s'))
    .emit('close')
    .aggregate(
      () => ({ payments: 0, rupees: 0 }),
      (total, { rupees }) => ({ payments: total.payments + 1, rupees: total.rupees + rupees }),
      { store: 'spent' },
    )
    .toStream()
    .map(({ payments, rupees }, { key: payer, window }) => [
      payer,
      { payer, hour: new Date(window.start), payments, rupees },
    ])
  if (postgres === undefined)
    spent.sink(jsonLinesSink({ path: `${out}/spent-{partition}.jsonl` }), { name: 'spent-file' })
  else spent.sink(postgresSink({ connection: postgres, table: 'spent', key: ['payer', 'hour'] }), { name: 'spent-db' })
  return builder.build()
}
