/** Sleeps a millisecond at a time and notes how late it wakes: what the machine adds to whatever waits on it. */
import { parentPort } from 'node:worker_threads'

const cell = new Int32Array(new SharedArrayBuffer(4))
const late: number[] = []
let over = false
parentPort?.once('message', () => (over = true))

while (!over) {
  for (let i = 0; i < 50; i++) {
    const due = performance.now() + 1
    Atomics.wait(cell, 0, 0, 1)
    late.push(performance.now() - due)
  }
  await new Promise((resolve) => setImmediate(resolve))
}
parentPort?.postMessage(late)
