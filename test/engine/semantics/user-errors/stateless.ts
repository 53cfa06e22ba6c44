import { type Kind, own, text, toText, trip, type Text } from './kind.ts'

export const stateless: readonly Kind[] = [
  { name: 'filter', step: 'culprit', build: (s) => s.filter((v) => trip(v, true), own) },
  { name: 'filterNot', step: 'culprit', build: (s) => s.filterNot((v) => trip(v, false), own) },
  { name: 'mapValues', step: 'culprit', build: (s) => s.mapValues((v) => trip(v, v), own) },
  {
    name: 'map',
    step: 'culprit',
    build: (s) => s.map((v, k) => trip(v, [k, v] as const), { ...own, ...text }) as Text,
  },
  {
    name: 'flatMap',
    step: 'culprit',
    build: (s) => s.flatMap((v, k) => trip(v, [[k, v] as const]), { ...own, ...text }) as Text,
  },
  {
    name: 'flatMap, half-way',
    step: 'culprit',
    build: (s) =>
      s.flatMapValues(function* (v) {
        yield trip(v, v)
      }, own),
  },
  { name: 'flatMapValues', step: 'culprit', build: (s) => s.flatMapValues((v) => trip(v, [v, v]), own) },
  { name: 'selectKey', step: 'culprit', build: (s) => s.selectKey((v) => trip(v, v), { ...own, ...text }) as Text },
  { name: 'peek', step: 'culprit', build: (s) => s.peek((v) => trip(v, undefined), own) },
  {
    name: 'forEach',
    step: 'culprit',
    build: (s) => {
      s.forEach((v) => trip(v, undefined), own)
      return s.filter((v) => v !== 'boom')
    },
  },
  {
    name: 'a branch',
    step: 'culprit',
    build: (s) =>
      s
        .split(own)
        .branch('a', (v) => trip(v, true))
        .default('b').a,
  },
  {
    name: 'groupBy',
    step: 'culprit',
    build: (s) =>
      toText(
        s
          .groupBy((v) => trip(v, v), { ...own, ...text })
          .count()
          .toStream() as never,
      ),
  },
  {
    name: 'a repartition’s partitioner',
    step: 'culprit',
    build: (s) => s.repartition({ ...own, ...text, partitioner: (v: string) => trip(v, 0) } as never) as Text,
  },
]
