import { connect, type Socket } from 'node:net'

interface Asking {
  readonly path: string
  readonly done: (status: number, body: string) => void
  readonly failed: (error: Error) => void
}

/**
 * HTTP/1.1 over connections that stay: one question at a time on each, the others wait for a free one. It knows of answers with
 * `content-length` and nothing else, and so takes a quarter of the time that `node:http` needs to ask.
 */
export class Connections {
  private readonly idle: Connection[] = []
  private readonly all: Connection[] = []
  private readonly waiting: Asking[] = []
  private taken = 0

  static async open(url: string, count: number): Promise<Connections> {
    const { hostname, port } = new URL(url)
    const connections = new Connections()
    const free = (one: Connection): void => {
      const next = connections.next()
      if (next === undefined) connections.idle.push(one)
      else one.ask(next)
    }
    const open = (): Promise<Connection> =>
      new Promise((resolve, reject) => {
        const socket = connect({ host: hostname, port: Number(port), noDelay: true })
        socket.once('connect', () => resolve(new Connection(socket, `${hostname}:${port}`, free)))
        socket.once('error', reject)
      })
    connections.all.push(...(await Promise.all(Array.from({ length: count }, open))))
    connections.idle.push(...connections.all)
    return connections
  }

  get(path: string): Promise<{ readonly status: number; readonly body: string }> {
    return new Promise((resolve, failed) => {
      const asking: Asking = { path, done: (status, body) => resolve({ status, body }), failed }
      const free = this.idle.pop()
      if (free === undefined) this.waiting.push(asking)
      else free.ask(asking)
    })
  }

  close(): void {
    for (const one of this.all) one.close()
  }

  /** First come, first asked. */
  private next(): Asking | undefined {
    const next = this.waiting[this.taken]
    if (next === undefined) return undefined
    if (++this.taken > 1024) {
      this.waiting.splice(0, this.taken)
      this.taken = 0
    }
    return next
  }
}

class Connection {
  private readonly socket: Socket
  private readonly head: string
  private readonly free: (self: Connection) => void
  private asking: Asking | undefined
  private got = ''

  constructor(socket: Socket, host: string, free: (self: Connection) => void) {
    this.socket = socket
    this.head = ` HTTP/1.1\r\nhost: ${host}\r\n\r\n`
    this.free = free
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => this.take(text))
    socket.on('error', (error) => this.asking?.failed(error))
    socket.on('close', () => this.asking?.failed(new Error('The connection was closed before the answer')))
  }

  ask(asking: Asking): void {
    this.asking = asking
    this.socket.write(`GET ${asking.path}${this.head}`)
  }

  close(): void {
    this.asking = undefined
    this.socket.destroy()
  }

  private take(text: string): void {
    const got = this.got === '' ? text : this.got + text
    const end = got.indexOf('\r\n\r\n')
    const length = end < 0 ? undefined : /\r\ncontent-length: (\d+)/i.exec(got)?.[1]
    if (length === undefined || got.length < end + 4 + Number(length)) {
      this.got = got
      return
    }
    const { asking } = this
    this.asking = undefined
    this.got = ''
    asking?.done(Number(got.slice(9, 12)), got.slice(end + 4))
    this.free(this)
  }
}
