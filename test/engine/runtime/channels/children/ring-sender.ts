import { workerData } from 'node:worker_threads'
import { Sender } from '../../../../../src/engine/runtime/channels/ring-link.ts'

const { memory, count } = workerData as { memory: SharedArrayBuffer; count: number }
const sender = new Sender(memory)
for (let n = 0; n < count; n++) {
  const seed = n
  sender.send({
    size: (n * 37) % 3000,
    fill(buf, at) {
      for (let i = 0; i < this.size; i++) buf[at + i] = (seed + i * 7) & 0xff
    },
  })
  while (sender.waiting > 0) sender.flush()
}
