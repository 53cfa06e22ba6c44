import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { once } from 'node:events'
import { customers, type Customer, shop } from './shop.ts'

const keys = 100
const rounds = 120
/** Of each row, so that what is not conflated is hundreds of megabytes. */
const padding = 'x'.repeat(10_000)

const round = (n: number): Customer[] => customers(keys).map((one) => ({ ...one, city: `${padding}${n}`, age: n }))

interface Told {
  readonly key: string
  readonly value: Customer
}

/** Data of the events in a chunked response, as its parts come. */
function* eventsOf(socket: { text: string }): Generator<Told> {
  const end = socket.text.lastIndexOf('\n\n')
  if (end < 0) return
  const events = socket.text.slice(0, end).replace(/\r\n[0-9a-f]+\r\n/g, '')
  socket.text = socket.text.slice(end)
  for (const line of events.split('\n')) if (line.startsWith('data: {')) yield JSON.parse(line.slice(6)) as Told
}

describe('a reader that does not read', () => {
  it('makes nothing grow, holds up nobody, and sees the last change of each key', async () => {
    await using app = await shop({ port: 0 })
    await app.send(round(0))
    const { hostname, port } = new URL(app.url)
    const socket = connect(Number(port), hostname)
    await once(socket, 'connect')
    socket.pause()
    socket.write(`GET /api/stores/customers/changes HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    const store = app.app.store('customers')
    const last = `c${keys - 1}`
    for (let n = 1; n <= rounds; n++) {
      await app.send(round(n))
      // each is committed, and told, before the next
      while (((await store.get(last)) as Customer | undefined)?.age !== n) await setImmediate()
    }
    // the job goes on, and so does whoever asks it
    assert.equal((await fetch(`${app.url}/readyz`)).status, 200)
    assert.equal(await store.count(), keys)
    const come = { text: '' }
    let events = 0
    socket.setEncoding('latin1')
    socket.on('data', (part) => {
      come.text += part
    })
    socket.resume()
    const ages = new Map<string, number>()
    while ([...ages.values()].filter((age) => age === rounds).length < keys) {
      await once(socket, 'data')
      for (const { key, value } of eventsOf(come)) {
        events++
        assert.ok(value.age >= (ages.get(key) ?? 0), `${key} went back from ${ages.get(key)} to ${value.age}`)
        ages.set(key, value.age)
      }
    }
    socket.destroy()
    // what lay in the buffers of both ends, and then one of each key
    assert.ok(events < (keys * rounds) / 4, `${events} of ${keys * rounds} changes were kept for it`)
  }).timeout(120_000)
})
