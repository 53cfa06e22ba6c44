import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import fc from 'fast-check'
import { AnswerMemory } from '../../../../src/connectors/kafka/answer-memory.ts'
import type { KafkaConnection } from '../../../../src/connectors/kafka/client/client.ts'
import { connectDirect } from '../../../../src/connectors/kafka/client/direct.ts'

/** Answers each request with what `answers` makes of its number, cut as `cut` says. */
async function broker(answer: (id: number, socket: Socket) => void): Promise<Server> {
  const server = createServer((socket) => {
    let rest: Buffer = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk])
      while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
        answer(rest.readInt32BE(8), socket)
        rest = rest.subarray(4 + rest.readInt32BE(0))
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

function frame(id: number, body: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeInt32BE(5 + body.length, 0)
  head.writeInt32BE(id, 4)
  return Buffer.concat([head, body])
}

const connect = (server: Server, memory = new AnswerMemory(), timeoutMs = 10_000): Promise<KafkaConnection> =>
  connectDirect('127.0.0.1', (server.address() as AddressInfo).port, timeoutMs, { clientId: 'test' }, memory)

const fetch = { key: 1, version: 12, name: 'Fetch' }
const body = Buffer.from('what is asked')

describe('A connection of our own', () => {
  const servers: Server[] = []
  const started = async (answer: (id: number, socket: Socket) => void): Promise<Server> => {
    const server = await broker(answer)
    servers.push(server)
    return server
  }
  afterEach(() => {
    for (const server of servers.splice(0)) server.close()
  })

  it('puts answers together, however they are cut and whatever their order', async () => {
    const sizes = fc.array(fc.oneof(fc.nat(20), fc.nat(700_000)), { minLength: 1, maxLength: 5 })
    const cuts = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(sizes, cuts, fc.boolean(), async (lengths, pieces, turned) => {
        const ids: number[] = []
        const server = await broker((id, socket) => {
          ids.push(id)
          if (ids.length < lengths.length) return
          const frames = ids.map((one, i) => frame(one, Buffer.alloc(lengths[i] as number, i + 1)))
          const all = Buffer.concat(turned ? frames.toReversed() : frames)
          for (let at = 0, i = 0; at < all.length; i++) {
            const next = at + (pieces[i % pieces.length] as number) + (i > 50 ? all.length : 0)
            socket.write(all.subarray(at, next))
            at = next
          }
        })
        const memory = new AnswerMemory()
        const connection = await connect(server, memory)
        try {
          const answers = await Promise.all(lengths.map(() => connection.send(fetch, body)))
          for (const [i, answer] of answers.entries())
            assert.deepEqual([answer.length, answer.every((byte) => byte === i + 1)], [lengths[i], true])
        } finally {
          await connection.close()
          server.close()
        }
      }),
      { numRuns: 25 },
    )
  })

  it('fails what is under way when the connection ends, and what is asked later', async () => {
    const server = await started((_, socket) => socket.destroy())
    const connection = await connect(server)
    await assert.rejects(connection.send(fetch, body), { code: 'DHAARA_KAFKA_CONNECT' })
    assert.equal(connection.open, false)
    await assert.rejects(connection.send(fetch, body), { code: 'DHAARA_KAFKA_CONNECT' })
  })

  it('gives up an answer that does not come', async () => {
    const server = await started(() => {})
    const connection = await connect(server, new AnswerMemory(), 20)
    await assert.rejects(connection.send(fetch, body), { code: 'DHAARA_KAFKA_TIMEOUT' })
    assert.equal(connection.open, false)
  })

  it('does not believe in sizes that are none, nor in answers to nothing', async () => {
    for (const bytes of [Buffer.from('HTTP/1.1 400 Bad Request\r\n'), Buffer.alloc(4), frame(77, body)]) {
      const server = await started((_, socket) => socket.write(bytes))
      const connection = await connect(server)
      await assert.rejects(connection.send(fetch, body), { code: 'DHAARA_KAFKA_CONNECT' })
    }
  })

  it('says who does not listen', async () => {
    const server = await started(() => {})
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    await assert.rejects(connectDirect('127.0.0.1', port, 1000, { clientId: 'test' }, new AnswerMemory()), {
      code: 'DHAARA_KAFKA_CONNECT',
      message: new RegExp(`127.0.0.1:${port}`),
    })
  })
})

describe('The memory of answers', () => {
  it('is used again when it was given back, and only then', () => {
    const memory = new AnswerMemory()
    const first = memory.take(1_000_000)
    const second = memory.take(1_000_000)
    assert.notEqual(first.buffer, second.buffer)
    memory.give(first.buffer)
    const third = memory.take(900_000)
    assert.deepEqual([third.buffer === first.buffer, third.length], [true, 900_000])
    assert.notEqual(memory.take(900_000).buffer, first.buffer)
  })

  it('takes nothing back that it did not make, nor without bound', () => {
    const memory = new AnswerMemory()
    const foreign = Buffer.alloc(1_000_000)
    memory.give(foreign.buffer)
    assert.notEqual(memory.take(1_000_000).buffer, foreign.buffer)
    const many = Array.from({ length: 40 }, () => memory.take(1 << 20).buffer)
    for (const one of many) memory.give(one)
    const again = Array.from({ length: 40 }, () => memory.take(1 << 20).buffer)
    assert.equal(again.filter((one) => many.includes(one)).length, 16)
  })
})
