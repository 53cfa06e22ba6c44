import { serdes, StreamsBuilder } from '../../../../src/index.ts'
import { planOf } from '../../../../src/dsl/topology/plan-of.ts'
import { compile } from '../../../../src/engine/plan/compile.ts'
import type { RecordBatch } from '../../../../src/engine/runtime/record.ts'
import type { Subject } from '../../../harness/subject.ts'
import type { Order } from '../../../workload/orders.ts'
import { oneTask } from '../common/one-task.ts'

/** Decoded batches through the generated code of five stateless steps. */
export const subject: Subject<Order> = {
  setup({ objects, sink }) {
    const builder = new StreamsBuilder()
    builder
      .stream('orders', { value: serdes.json<Order>() })
      .filter((order) => order.amount >= 1000)
      .map(({ amount, city, ts }, key) => [key, { amount, city, ts }])
      .mapValues(({ city, amount }) => ({ city, cents: amount * 90 }))
      .filter((row) => row.city !== 'city-7')
      .mapValues((row) => row.cents + 1)
      .forEach((total) => sink.add(1, total))
    const feed = oneTask(compile(planOf(builder.build())))
    const size = 1000
    const batches: RecordBatch[] = []
    for (let from = 0; from < objects.length; from += size) {
      const values = objects.slice(from, from + size)
      batches.push({
        topic: 'orders',
        partition: 0,
        count: values.length,
        keys: values.map(() => null),
        values,
        olds: undefined,
        timestamps: values.map((order) => order.ts),
        w: undefined,
        headers: undefined,
        offsets: undefined,
        baseOffset: from,
      })
    }
    return {
      run() {
        for (const batch of batches) feed.run(batch, 0, batch.count, feed.time)
      },
      finish() {},
    }
  },
}
