import assert from 'node:assert/strict'
import {
  type Attributes,
  type HrTime,
  type Span,
  type SpanOptions,
  type TimeInput,
  trace,
  type Tracer,
} from '@opentelemetry/api'
import { embeddedBroker, serdes, StreamsApp, StreamsBuilder } from '../../../src/index.ts'

interface Ended {
  readonly name: string
  readonly attributes: Attributes
  readonly ms: number
}

const ms = (time: TimeInput | undefined): number => Number(time as Exclude<TimeInput, Date | HrTime>)

describe('OpenTelemetry', () => {
  const ended: Ended[] = []
  before(() => {
    const tracer = {
      startSpan: (name: string, { attributes = {}, startTime }: SpanOptions = {}): Span => {
        const end = (at?: TimeInput): void => void ended.push({ name, attributes, ms: ms(at) - ms(startTime) })
        return { end } as unknown as Span
      },
    } as unknown as Tracer
    trace.setGlobalTracerProvider({ getTracer: () => tracer })
  })
  after(() => trace.disable())

  it('gets a span for each start and checkpoint, and the context of a record goes on with it', async () => {
    const builder = new StreamsBuilder()
    builder
      .stream('in', { key: serdes.string(), value: serdes.string() })
      .selectKey((v) => v)
      .repartition({ key: serdes.string(), value: serdes.string() })
      .to('out', { key: serdes.string(), value: serdes.string() })
    const broker = embeddedBroker()
    const app = new StreamsApp({ applicationId: 'traced', topology: builder.build(), broker })
    await app.start()
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    await using producer = broker.producer('in', { key: serdes.string(), value: serdes.string() })
    await producer.send({ key: 'a', value: 'b', headers: { traceparent } })
    for await (const { headers } of broker.consumer('out', { key: serdes.string(), value: serdes.string() })) {
      assert.deepEqual(headers, { traceparent })
      break
    }
    app.endInputs()
    const { epochs } = await app.completed
    const named = (name: string) => ended.filter((one) => one.name === name)
    assert.equal(named('dhaara.restore').length, 1)
    assert.equal(named('dhaara.checkpoint').length, epochs)
    for (const { attributes, ms: took } of ended) {
      assert.equal(attributes['dhaara.application'], 'traced')
      assert.ok(took >= 0)
    }
    assert.deepEqual(named('dhaara.checkpoint').map(({ attributes }) => attributes['dhaara.epoch'])[0], 1)
  })
})
