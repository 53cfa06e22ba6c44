import { once } from 'node:events'
import { createServer, createConnection, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** Stands between clients and a broker: lets bytes pass, alters them, or cuts the line. */
export class Proxy implements AsyncDisposable {
  /** What comes from the broker may be altered in place. */
  alter: (bytes: Buffer) => void = () => {}
  /** Is shown what goes to the broker. May say that the line is cut instead, or that only the answer is lost with it. */
  watch: (bytes: Buffer) => 'pass' | 'cut' | 'cut before the answer' = () => 'pass'
  /** How many came while nobody was let in. */
  refused = 0
  #broken = Promise.withResolvers<void>()
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #cut = false

  /** Of the tests that run at the same time one has the port; the others wait for it. */
  static async listen(port: number, to: number): Promise<Proxy> {
    for (;;) {
      const proxy = new Proxy(to)
      const server = proxy.#server.listen(port, '127.0.0.1')
      try {
        await once(server, 'listening')
        return proxy
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
        await delay(50)
      }
    }
  }

  private constructor(to: number) {
    this.#server = createServer((client) => {
      if (this.#cut) {
        this.refused++
        client.destroy()
        return
      }
      const broker = createConnection({ host: '127.0.0.1', port: to })
      for (const [from, other] of [
        [client, broker],
        [broker, client],
      ] as const) {
        this.#sockets.add(from)
        from.on('error', () => other.destroy())
        from.on('close', () => {
          this.#sockets.delete(from)
          other.destroy()
        })
      }
      let lost = false
      client.on('data', (bytes: Buffer) => {
        const what = this.watch(bytes)
        if (what === 'cut') {
          this.cut()
          return
        }
        lost ||= what === 'cut before the answer'
        if (!broker.write(bytes)) client.pause()
      })
      broker.on('drain', () => client.resume())
      broker.on('data', (bytes: Buffer) => {
        if (lost) {
          this.cut()
          return
        }
        this.alter(bytes)
        if (!client.write(bytes)) broker.pause()
      })
      client.on('drain', () => broker.resume())
    })
  }

  /** Resolves when the line has been cut. */
  get broken(): Promise<void> {
    return this.#broken.promise
  }

  /** Breaks what is connected, and lets nobody in. */
  cut(): void {
    this.#cut = true
    for (const socket of this.#sockets) socket.destroy()
    this.#broken.resolve()
  }

  heal(): void {
    this.#cut = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
