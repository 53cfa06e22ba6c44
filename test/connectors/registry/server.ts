/**
 * The part of the Confluent Schema Registry's HTTP API that clients use, as its documentation has it: subjects, versions, ids
 * that are the same for the same schema, references, error codes; BACKWARD compatibility for Avro. Confluent's own JavaScript
 * client works with it: the bytes in `test/vectors/schema-registry.json` were written that way. It runs in a thread of its own,
 * since who decodes stands still until it has answered.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { parentPort, Worker, workerData } from 'node:worker_threads'
import avsc from 'avsc'

interface Given {
  readonly schema: string
  readonly schemaType?: string
  readonly references?: readonly { readonly name: string; readonly subject: string; readonly version: number }[]
}

interface Version extends Given {
  readonly id: number
}

interface Refusal {
  readonly status: number
  readonly error_code: number
  readonly message: string
}

const same = (a: Given, b: Given): boolean =>
  a.schema === b.schema && (a.schemaType ?? 'AVRO') === (b.schemaType ?? 'AVRO')

export class Registry {
  /** `GET /schemas/ids/1` and so on, as they came. */
  readonly asked: string[] = []
  readonly subjects = new Map<string, Version[]>()
  /** Answers so many times with 500. */
  failing = 0
  private readonly server: Server
  private readonly credentials: string | undefined

  static async listen(credentials: string | undefined): Promise<Registry> {
    const registry = new Registry(credentials)
    await new Promise<void>((resolve) => void registry.server.listen(0, '127.0.0.1', resolve))
    return registry
  }

  private constructor(credentials: string | undefined) {
    this.credentials = credentials
    this.server = createServer((request, response) => {
      void this.answer(request).then(([status, body]) => {
        response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' })
        response.end(JSON.stringify(body))
      })
    })
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  /** Gives a schema an id. */
  register(subject: string, given: Given, id?: number): Version {
    const versions = this.subjects.get(subject) ?? []
    this.subjects.set(subject, versions)
    const there = versions.find((one) => same(one, given))
    if (there !== undefined) return there
    const all = [...this.subjects.values()].flat()
    const known = all.find((one) => same(one, given))?.id
    const version = { ...given, id: id ?? known ?? Math.max(0, ...all.map((one) => one.id)) + 1 }
    versions.push(version)
    return version
  }

  private async answer(request: IncomingMessage): Promise<readonly [number, unknown]> {
    const { method = '', url = '', headers } = request
    const path = url.split('?')[0] as string
    this.asked.push(`${method} ${path}`)
    const body = await text(request)
    if (this.failing > 0) {
      this.failing--
      return refusal({ status: 500, error_code: 50001, message: 'Error in the backend data store' })
    }
    if (this.credentials !== undefined) {
      const wanted = `Basic ${Buffer.from(this.credentials).toString('base64')}`
      if (headers.authorization !== wanted) return refusal({ status: 401, error_code: 401, message: 'Unauthorized' })
    }
    const parts = path.split('/').slice(1).map(decodeURIComponent)
    const given = body === '' ? undefined : (JSON.parse(body) as Given)
    if (method === 'GET' && parts[0] === 'schemas' && parts[1] === 'ids') return this.byId(Number(parts[2]))
    if (parts[0] !== 'subjects') return refusal({ status: 404, error_code: 404, message: 'HTTP 404 Not Found' })
    const subject = parts[1] as string
    if (method === 'POST' && parts[2] === 'versions') return this.add(subject, given as Given)
    if (method === 'POST') return this.lookUp(subject, given as Given)
    return this.version(subject, parts[3] as string)
  }

  private byId(id: number): readonly [number, unknown] {
    const found = [...this.subjects.values()].flat().find((one) => one.id === id)
    if (found === undefined) return refusal({ status: 404, error_code: 40403, message: `Schema ${id} not found` })
    const { id: _, ...schema } = found
    return [200, schema]
  }

  private add(subject: string, given: Given): readonly [number, unknown] {
    const versions = this.subjects.get(subject) ?? []
    if (versions.some((one) => same(one, given))) return [200, { id: this.register(subject, given).id }]
    if ((given.schemaType ?? 'AVRO') === 'AVRO') {
      try {
        const last = versions.at(-1)
        const reader = this.avro(given)
        if (last !== undefined) reader.createResolver(this.avro(last))
      } catch (error) {
        const { message } = error as Error
        return versions.length === 0
          ? refusal({ status: 422, error_code: 42201, message: `Invalid schema: ${message}` })
          : refusal({ status: 409, error_code: 409, message: `Schema being registered is incompatible: ${message}` })
      }
    }
    return [200, { id: this.register(subject, given).id }]
  }

  private avro({ schema, references = [] }: Given, registry = {}): avsc.Type {
    for (const { subject, version } of references)
      this.avro(this.subjects.get(subject)?.[version - 1] as Given, registry)
    return avsc.Type.forSchema(JSON.parse(schema), { registry })
  }

  private lookUp(subject: string, given: Given): readonly [number, unknown] {
    const versions = this.subjects.get(subject)
    if (versions === undefined) return noSubject(subject)
    const at = versions.findIndex((one) => same(one, given))
    if (at < 0) return refusal({ status: 404, error_code: 40403, message: 'Schema not found' })
    return [200, { subject, version: at + 1, ...versions[at] }]
  }

  private version(subject: string, wanted: string): readonly [number, unknown] {
    const versions = this.subjects.get(subject)
    if (versions === undefined) return noSubject(subject)
    const at = wanted === 'latest' ? versions.length - 1 : Number(wanted) - 1
    if (versions[at] === undefined)
      return refusal({ status: 404, error_code: 40402, message: `Version ${wanted} not found` })
    return [200, { subject, version: at + 1, ...versions[at] }]
  }
}

const refusal = ({ status, ...body }: Refusal): readonly [number, unknown] => [status, body]
const noSubject = (subject: string): readonly [number, unknown] =>
  refusal({ status: 404, error_code: 40401, message: `Subject '${subject}' not found` })

interface Wish {
  readonly do: 'register' | 'fail' | 'tell'
  readonly subject?: string
  readonly given?: Given
  readonly id?: number
  readonly times?: number
}

interface Told {
  readonly asked: readonly string[]
  readonly subjects: readonly string[]
}

/** The registry, from the thread of a test. */
export class RegistryServer implements AsyncDisposable {
  readonly url: string
  private readonly worker: Worker

  static async start(options: { readonly credentials?: string } = {}): Promise<RegistryServer> {
    const worker = new Worker(new URL(import.meta.url), { workerData: { registry: options } })
    const url = await new Promise<string>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    return new RegistryServer(worker, url)
  }

  private constructor(worker: Worker, url: string) {
    this.worker = worker
    this.url = url
  }

  register(subject: string, given: Given, id?: number): Promise<Told> {
    return this.wish({ do: 'register', subject, given, ...(id === undefined ? {} : { id }) })
  }

  /** Answers so many times with 500. */
  fail(times: number): Promise<Told> {
    return this.wish({ do: 'fail', times })
  }

  /** What was asked since it was told last, and the subjects there are. */
  tell(): Promise<Told> {
    return this.wish({ do: 'tell' })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.worker.terminate()
  }

  private wish(wish: Wish): Promise<Told> {
    return new Promise((resolve) => {
      this.worker.once('message', resolve)
      this.worker.postMessage(wish)
    })
  }
}

const begin = (workerData as { registry?: { credentials?: string } } | null)?.registry
if (begin !== undefined) {
  const registry = await Registry.listen(begin.credentials)
  parentPort?.on('message', (wish: Wish) => {
    if (wish.do === 'register') registry.register(wish.subject as string, wish.given as Given, wish.id)
    if (wish.do === 'fail') registry.failing = wish.times as number
    parentPort?.postMessage({ asked: registry.asked.splice(0), subjects: [...registry.subjects.keys()] } satisfies Told)
  })
  parentPort?.postMessage(registry.url)
}
