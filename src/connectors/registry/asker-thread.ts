/** Asks the registry for a thread that stands still meanwhile. */
import { type MessagePort, workerData } from 'node:worker_threads'
import { type Answered, ask, type Asked } from './http.ts'

const { port, answered } = workerData as { readonly port: MessagePort; readonly answered: Int32Array }

port.on('message', ({ request, options }: Asked) => {
  void ask(request, options)
    .then(
      (response): Answered => ({ response }),
      (error: Error): Answered => ({ message: error.message }),
    )
    .then((answer) => {
      port.postMessage(answer)
      Atomics.store(answered, 0, 1)
      Atomics.notify(answered, 0)
    })
})
