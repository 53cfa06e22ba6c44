/** Sends numbered records, and says which are committed. Ends when it is killed. */
import { embeddedBroker } from '../../../../src/connectors/embedded/index.ts'
import { text } from '../text.ts'

const broker = embeddedBroker({ dir: process.argv[2]!, partitions: 3 })
const producer = broker.producer<string, string>('t', { key: text, value: text })
for (let flush = 0; ; flush++) {
  const first = flush * 20
  for (let i = first; i < first + 20; i++) void producer.send({ key: `${i}`, value: `${i}` })
  await producer.flush()
  process.stdout.write(`${first + 20}\n`)
}
