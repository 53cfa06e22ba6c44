import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { Journal, type JournalPosition } from '../../../src/connectors/webhook/journal.ts'
import { webhookSink, webhookSource } from '../../../src/connectors/webhook/index.ts'
import { embeddedBroker, StreamsApp, StreamsBuilder, type Topology } from '../../../src/index.ts'
import { numbers, World } from '../../engine/connect/worlds.ts'
import { upTo } from '../../up-to.ts'

describe('webhooks', () => {
  let dir = ''
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'dhaara-webhook-'))
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  describe('journal', () => {
    it('gives back what was appended, from any position on, over segments and restarts, and not what is torn', async () => {
      const entry = fc.uint8Array({ maxLength: 40 })
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(entry, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 8 }),
          fc.integer({ min: 20, max: 200 }),
          async (groups, segmentBytes) => {
            const folder = mkdtempSync(join(dir, 'journal-'))
            for (const half of [groups.slice(0, 3), groups.slice(3)]) {
              const journal = await Journal.open(folder, segmentBytes)
              for (const group of half) await journal.append(group)
              await journal.close()
            }
            const expected = groups.flat().map((bytes) => Buffer.from(bytes).toString('hex'))
            const journal = await Journal.open(folder, segmentBytes)
            const read = async (from: JournalPosition | undefined, want: number) => {
              const found: string[] = []
              const positions: [number, JournalPosition][] = []
              const stop = new AbortController()
              if (want === 0) return { found, positions }
              for await (const { entries, position } of journal.read(from, stop.signal)) {
                found.push(...entries.map((bytes) => bytes.toString('hex')))
                positions.push([found.length, position])
                if (found.length >= want) stop.abort()
              }
              return { found, positions }
            }
            const { found, positions } = await read(undefined, expected.length)
            assert.deepEqual(found, expected)
            for (const [n, position] of positions)
              assert.deepEqual((await read(position, expected.length - n)).found, expected.slice(n))
            await journal.close()
          },
        ),
        { numRuns: 20 },
      )
    })
  })

  describe('in', () => {
    const serve = async (options: object = {}, broker = embeddedBroker(), world = new World()) => {
      const listening = Promise.withResolvers<{ port: number }>()
      const builder = new StreamsBuilder()
      builder
        .source(
          'hooks',
          webhookSource({
            dir: join(dir, 'journal'),
            port: 0,
            path: '/in',
            onListening: listening.resolve,
            ...options,
          }),
        )
        .sink(world.idempotent(), { name: 'out' })
      const app = new StreamsApp({ applicationId: 'hooks', topology: builder.build(), broker, checkpointInterval: 5 })
      await app.start()
      const { port } = await listening.promise
      const post = (body: string, headers: Record<string, string> = {}, path = '/in', method = 'POST') =>
        fetch(`http://127.0.0.1:${port}${path}`, { method, headers, ...(method === 'GET' ? {} : { body }) })
      return { app, post, world, broker }
    }

    it('takes values, arrays and lines, each once, over restarts', async () => {
      const { app, post, world, broker } = await serve()
      assert.deepEqual(await (await post('{"n":1}')).json(), { accepted: 1 })
      assert.equal((await post('[2,3]')).status, 202)
      assert.equal((await post('4\n"five"\n', { 'content-type': 'application/x-ndjson' })).status, 202)
      // what the job has not processed lies in the journal
      await app.close()
      const again = await serve({}, broker, world)
      assert.equal((await again.post('6')).status, 202)
      again.app.endInputs()
      await again.app.completed
      assert.deepEqual(
        world.rows.map(({ value }) => value),
        [{ n: 1 }, 2, 3, 4, 'five', 6],
      )
      await broker[Symbol.asyncDispose]()
    })

    it('refuses what it should, and says why', async () => {
      const { app, post } = await serve({ token: 'secret', maxBodyBytes: 100 })
      const auth = { authorization: 'Bearer secret' }
      const statusOf = async (answer: Promise<Response>) => {
        const { status, headers } = await answer
        if (status >= 400) assert.equal(headers.get('content-type'), 'application/problem+json')
        return status
      }
      assert.equal(await statusOf(post('1')), 401)
      assert.equal(await statusOf(post('1', { authorization: 'Bearer wrong' })), 401)
      assert.equal(await statusOf(post('1', auth)), 202)
      assert.equal(await statusOf(post('1', auth, '/other')), 404)
      assert.equal(await statusOf(post('', auth, '/in', 'GET')), 405)
      assert.equal(await statusOf(post('{"n":', auth)), 400)
      assert.equal(await statusOf(post(`"${'x'.repeat(200)}"`, auth)), 413)
      await app.close()
    })

    it('answers 503 while the job is too far behind', async () => {
      const gate = Promise.withResolvers<void>()
      const builder = new StreamsBuilder()
      const listening = Promise.withResolvers<{ port: number }>()
      let written = 0
      builder
        .source(
          'hooks',
          webhookSource({
            dir: join(dir, 'journal'),
            port: 0,
            maxPendingBytes: 50_000,
            onListening: listening.resolve,
          }),
        )
        .sink(
          {
            async write(batch) {
              await gate.promise
              written += batch.length
            },
          },
          { name: 'out', maxPendingBytes: 1000 },
        )
      await using app = new StreamsApp({ applicationId: 'hooks', topology: builder.build(), checkpointInterval: 1 })
      await app.start()
      const { port } = await listening.promise
      let accepted = 0
      let status = 0
      for (let i = 0; i < 500 && status !== 503; i++) {
        status = (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: JSON.stringify('x'.repeat(5000)) }))
          .status
        if (status === 202) accepted++
      }
      assert.equal(status, 503)
      gate.resolve()
      app.endInputs()
      await app.completed
      assert.equal(written, accepted)
    })

    it('has what it acknowledged after kill -9', async () => {
      const child = (...args: string[]) =>
        spawn(process.execPath, [join(import.meta.dirname, 'child.ts'), dir, ...args], {
          stdio: ['ignore', 'pipe', 'inherit'],
        })
      const first = child('serve')
      const [line] = (await once(first.stdout.setEncoding('utf8'), 'data')) as [string]
      const acknowledged: number[] = []
      let n = 0
      const sending = async (): Promise<void> => {
        while (first.exitCode === null && first.signalCode === null) {
          const own = n++
          try {
            const { ok } = await fetch(`http://127.0.0.1:${line.trim()}/`, { method: 'POST', body: String(own) })
            if (ok) acknowledged.push(own)
          } catch {
            return
          }
          if (acknowledged.length === 60) first.kill('SIGKILL')
        }
      }
      await Promise.all([sending(), sending(), sending()])
      const second = child('drain')
      let text = ''
      second.stdout.setEncoding('utf8').on('data', (part: string) => (text += part))
      await once(second, 'close')
      const found = text.split('\n').filter(Boolean).map(Number)
      assert.equal(new Set(found).size, found.length)
      for (const one of acknowledged) assert.ok(found.includes(one), `${one} was acknowledged and is gone`)
    }).timeout(60_000)

    it('lets go of segments that are in a checkpoint', async () => {
      const journal = await Journal.open(dir, 100)
      for (const n of upTo(20)) await journal.append([Buffer.alloc(50, n)])
      const before = readdirSync(dir).length
      await journal.forget({ segment: 8, offset: 0 })
      assert.equal(readdirSync(dir).length, before - 7)
      const { value } = await journal.read({ segment: 8, offset: 0 }, new AbortController().signal).next()
      assert.ok(value)
      await assert.rejects(journal.read({ segment: 2, offset: 0 }, new AbortController().signal).next(), {
        code: 'DHAARA_SOURCE_POSITION',
      })
      await journal.close()
    })
  })

  describe('out', () => {
    let server: Server
    let url = ''
    const taken = new Map<string, unknown[]>()
    let answers: (number | 'hang')[] = []
    let keys: string[] = []
    beforeEach(async () => {
      taken.clear()
      keys = []
      server = createServer((request, response) => {
        let text = ''
        request.setEncoding('utf8').on('data', (part: string) => (text += part))
        request.on('end', () => {
          const key = String(request.headers['idempotency-key'])
          keys.push(key)
          const status = answers.shift() ?? 200
          // a failure may come after the work was done
          if (status === 200 || status === 500)
            taken.set(
              key,
              text.startsWith('[')
                ? JSON.parse(text)
                : text
                    .trim()
                    .split('\n')
                    .map((one) => JSON.parse(one)),
            )
          if (status === 'hang') return
          response.writeHead(status, status === 429 ? { 'retry-after': '0.01' } : {}).end('said')
        })
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    })
    afterEach(() => {
      server.closeAllConnections()
      server.close()
    })
    const toEnd = async (topology: Topology) => {
      await using app = new StreamsApp({
        applicationId: 'out',
        topology,
        broker: embeddedBroker(),
        checkpointInterval: 5,
      })
      await app.start()
      return await app.completed
    }
    const sending = (options: object): Topology => {
      const builder = new StreamsBuilder()
      const retry = { attempts: 5, backoff: 1, maxBackoff: 2 }
      builder
        .source('numbers', numbers(100, 1))
        .sink(webhookSink({ url, batchRecords: 30, ...options }), { name: 'out', retry })
      return builder.build()
    }

    for (const format of ['array', 'lines'] as const) {
      it(`sends ${format}, again under the same key what was not answered well`, async () => {
        answers = [500, 429, 'hang', 200, 503]
        await toEnd(sending({ format, timeout: 200 }))
        assert.deepEqual([...taken.values()].flat(), upTo(100))
        assert.match(keys[0] as string, /^out\/out-0\/[0-9a-f-]{36}\/1\.0$/)
        assert.equal(keys[0], keys[1])
      })
    }

    it('stops at an answer that no second attempt will change', async () => {
      answers = [422]
      await assert.rejects(toEnd(sending({})), /answered 422 Unprocessable Entity: said/)
      assert.equal(keys.length, 1)
      assert.throws(() => webhookSink({ url: 'ftp://nowhere' }), { code: 'DHAARA_OPTION' })
    })
  })
})
