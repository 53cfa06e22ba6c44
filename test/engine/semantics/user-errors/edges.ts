import { serdes, watermarks } from '../../../../src/index.ts'
import { type Kind, text, trip, type Text } from './kind.ts'

const serializing = serdes.from<string>({
  serialize: (v) => trip(v, Buffer.from(v)),
  deserialize: (b) => Buffer.from(b).toString(),
})
const deserializing = serdes.from<string>({
  serialize: (v) => Buffer.from(v),
  deserialize: (b) => trip(Buffer.from(b).toString(), Buffer.from(b).toString()),
})

export const edges: readonly Kind[] = [
  {
    name: 'a sink’s choice of topic',
    step: 'to',
    build: (s) => void s.to((v) => trip(v, 'out'), text as never) as never,
  },
  { name: 'a sink’s partitioner', step: 'to', build: (s) => s, sink: { partitioner: (v: string) => trip(v, 0) } },
  { name: 'a sink’s headers', step: 'to', build: (s) => s, sink: { headers: (v: string) => trip(v, { n: '1' }) } },
  {
    name: 'a serializer',
    step: 'to',
    code: 'DHAARA_SERIALIZE',
    build: (s) => s,
    sink: {
      value: serdes.from<string>({
        serialize: (v) => trip(v, Buffer.from(v)),
        deserialize: (b) => Buffer.from(b).toString(),
      }),
    },
  },
  {
    name: 'a deserializer',
    step: 'in',
    code: 'DHAARA_DESERIALIZE',
    build: (s) => s,
    source: {
      value: serdes.from<string>({
        serialize: (v) => Buffer.from(v),
        deserialize: (b) => trip(Buffer.from(b).toString(), Buffer.from(b).toString()),
      }),
    },
  },
  {
    name: 'a timestamp extractor',
    step: 'in',
    code: 'DHAARA_TIMESTAMP',
    build: (s) => s,
    source: { timestamp: (v: string, _: unknown, record: { timestamp: number }) => trip(v, record.timestamp) },
  },
  {
    name: 'a punctuated watermark',
    step: 'in',
    build: (s) => s.filter((v) => v !== 'boom'),
    source: { watermark: watermarks.punctuated((v: string, at) => trip(v, at)) },
  },
  {
    name: 'a key’s serializer',
    step: 'to',
    code: 'DHAARA_SERIALIZE',
    build: (s) => s.selectKey((v) => v, text) as Text,
    sink: { key: serializing },
  },
  {
    name: 'a key’s deserializer',
    step: 'in',
    code: 'DHAARA_DESERIALIZE',
    bad: [['boom', 'four', 11]],
    build: (s) => s,
    source: { key: deserializing },
  },
  {
    name: 'a schema',
    step: 'in',
    code: 'DHAARA_DESERIALIZE',
    build: (s) => s,
    source: {
      value: serdes.json({
        '~standard': { version: 1, vendor: 'own', validate: (value: unknown) => trip(value, { value }) },
      } as never),
    },
  },
]
