import { createServer, createConnection, type Server, type Socket } from 'node:net'

/** Stands between clients and a broker: lets bytes pass, alters them, or cuts the line. */
export class Proxy implements AsyncDisposable {
  /** What comes from the broker may be altered in place. */
  alter: (bytes: Buffer) => void = () => {}
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #cut = false

  static async listen(port: number, to: number): Promise<Proxy> {
    const proxy = new Proxy(to)
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject)
      proxy.#server.listen(port, '127.0.0.1', resolve)
    })
    return proxy
  }

  private constructor(to: number) {
    this.#server = createServer((client) => {
      if (this.#cut) {
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
      client.pipe(broker)
      broker.on('data', (bytes: Buffer) => {
        this.alter(bytes)
        if (!client.write(bytes)) broker.pause()
      })
      client.on('drain', () => broker.resume())
    })
  }

  /** Breaks what is connected, and lets nobody in. */
  cut(): void {
    this.#cut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  heal(): void {
    this.#cut = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
