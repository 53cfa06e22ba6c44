import { connect, type Socket } from 'node:net'

/** What is asked of a server, by the numbers of the questions. */
export interface Questions {
  readonly path: (question: number) => string
  /** Is told each answer once. */
  readonly answered: (question: number, status: number, body: string) => void
}

/**
 * HTTP/1.1 over connections that stay: one question at a time on each, the others wait for a free one. It knows of answers with
 * `content-length` and nothing else, reads into memory of its own, and makes no object for a question: it takes a small part of
 * the time that `node:http` needs to ask, and leaves little to collect.
 */
export class Connections {
  private readonly idle: Connection[] = []
  private readonly all: Connection[] = []
  private readonly questions: Questions
  /** Questions before it are on their way, or answered. */
  private next = 0
  private asked = 0

  private constructor(questions: Questions) {
    this.questions = questions
  }

  static async open(url: string, count: number, questions: Questions): Promise<Connections> {
    const { hostname, port } = new URL(url)
    const connections = new Connections(questions)
    const open = (): Promise<Connection> =>
      new Promise((resolve, reject) => {
        const one = new Connection(hostname, Number(port), questions, () => connections.free(one))
        one.socket.once('connect', () => resolve(one))
        one.socket.once('error', reject)
      })
    connections.all.push(...(await Promise.all(Array.from({ length: count }, open))))
    connections.idle.push(...connections.all)
    return connections
  }

  /** One more question: first come, first asked. @returns its number; they begin with 0 */
  ask(): number {
    const question = this.asked++
    const idle = this.idle.pop()
    if (idle !== undefined) idle.ask(this.next++)
    return question
  }

  close(): void {
    for (const one of this.all) one.close()
  }

  private free(one: Connection): void {
    if (this.next < this.asked) one.ask(this.next++)
    else this.idle.push(one)
  }
}

const mostRead = 64 * 1024
const none = -1

class Connection {
  readonly socket: Socket
  private readonly head: string
  private readonly questions: Questions
  private readonly free: () => void
  private question = none
  private got = ''

  constructor(host: string, port: number, questions: Questions, free: () => void) {
    this.questions = questions
    this.free = free
    this.head = ` HTTP/1.1\r\nhost: ${host}:${port}\r\n\r\n`
    const buffer = Buffer.allocUnsafe(mostRead)
    const callback = (bytes: number): boolean => this.take(buffer.latin1Slice(0, bytes))
    this.socket = connect({ host, port, noDelay: true, onread: { buffer, callback } })
    this.socket.on('close', () => {
      if (this.question !== none) throw new Error('The connection was closed before the answer')
    })
  }

  ask(question: number): void {
    this.question = question
    this.socket.write(`GET ${this.questions.path(question)}${this.head}`, 'latin1')
  }

  close(): void {
    this.question = none
    this.socket.destroy()
  }

  private take(text: string): boolean {
    const got = this.got === '' ? text : this.got + text
    const end = got.indexOf('\r\n\r\n') + 4
    const body = end < 4 ? undefined : bodyOf(got, end)
    this.got = body === undefined ? got : ''
    if (body === undefined) return true
    const { question } = this
    this.question = none
    this.questions.answered(question, Number(got.slice(9, 12)), body)
    this.free()
    return true
  }
}

/** If it is there as a whole. @param start behind the headers */
function bodyOf(got: string, start: number): string | undefined {
  const length = Number.parseInt(got.slice(got.indexOf('content-length: ') + 16, start), 10)
  return got.length < start + length ? undefined : got.slice(start)
}
