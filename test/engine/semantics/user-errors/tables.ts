import { untilTimeLimit } from '../../../../src/index.ts'
import { type Kind, own, text, toText, trip } from './kind.ts'

export const tables: readonly Kind[] = [
  {
    name: 'a table’s filter',
    step: 'culprit',
    build: (s) =>
      toText(
        s
          .toTable()
          .filter((v) => trip(v, true), own)
          .toStream() as never,
      ),
  },
  {
    name: 'a table’s mapValues',
    step: 'culprit',
    build: (s) =>
      toText(
        s
          .toTable()
          .mapValues((v) => trip(v, v), own)
          .toStream() as never,
      ),
  },
  {
    name: 'a table’s groupBy',
    step: 'culprit',
    build: (s) =>
      toText(
        s
          .selectKey((v) => v, text)
          .toTable()
          .groupBy((v): readonly [string, string] => trip(v, ['all', v]), { ...own, ...text })
          .count()
          .toStream() as never,
      ),
  },
  {
    name: 'add behind a table’s groupBy',
    step: 'culprit',
    build: (s) =>
      toText(
        s
          .selectKey((v) => v, text)
          .toTable()
          .groupBy((v): readonly [string, string] => ['all', v], text)
          .aggregate(() => '', { add: (a, v) => trip(v, a + v), subtract: (a) => a }, own)
          .toStream() as never,
      ),
  },
  {
    name: 'transformValues of a table',
    step: 'culprit',
    build: (s) =>
      toText(
        s
          .toTable()
          .transformValues(() => ({ transform: (v) => trip(v, v) }), own)
          .toStream() as never,
      ),
  },
  {
    name: 'subtract behind a table’s groupBy',
    step: 'culprit',
    at: 13,
    later: [['a', 'four', 14]],
    offset: 4,
    build: (s) =>
      toText(
        s
          .toTable()
          .groupBy((v): readonly [string, string] => ['all', v], text)
          .aggregate(() => '', { add: (a, v) => a + v, subtract: (a, v) => trip(v, a.replace(v, '')) }, own)
          .toStream()
          .filter((v) => v !== null && !v.includes('boom')) as never,
      ),
    partial: true,
  },
  {
    name: 'the add of a grouped table’s reduce',
    step: 'culprit',
    build: (s) =>
      toText(
        s
          .selectKey((v) => v, text)
          .toTable()
          .groupBy((v): readonly [string, string] => ['all', v], text)
          .reduce({ add: (a, v) => trip(v, a + v), subtract: (a) => a }, own)
          .toStream() as never,
      ),
  },
  {
    name: 'the rank of a grouped table’s topN',
    step: 'culprit',
    build: (s) =>
      toText(
        s
          .selectKey((v) => v, text)
          .toTable()
          .groupBy((v): readonly [string, string] => ['all', v], text)
          .topN(2, (v) => trip(v, v), own)
          .toStream() as never,
      ),
  },
  {
    name: 'what follows a table held back',
    step: 'culprit',
    timed: true,
    build: (s) =>
      toText(
        s
          .selectKey((v) => v, text)
          .toTable()
          .suppress(untilTimeLimit(2))
          .filter((v) => trip(v, true), own)
          .toStream() as never,
      ),
  },
]
