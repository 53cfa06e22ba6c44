import { joinWindows } from '../../../../src/index.ts'
import { type Kind, own, text, toText, trip, type Text } from './kind.ts'

/** Each value is a row of its own, and follows the row of its first letter. */
const foreign = (s: Text, key: (v: string) => string, joiner: (l: string, r: string | null) => string): Text =>
  toText(
    s
      .selectKey((v) => v, text)
      .toTable({ store: 'left' })
      .leftJoin(
        s
          .filter((v) => v !== 'boom')
          .selectKey((v) => v[0] as string, text)
          .toTable({ store: 'right' }),
        key,
        joiner,
        own,
      )
      .toStream()
      .filter((v) => v !== null && !v.includes('boom')) as never,
  )

export const joins: readonly Kind[] = [
  {
    name: 'a stream-table joiner',
    step: 'culprit',
    build: (s) => s.join(s.filter((v) => v !== 'boom').toTable(), (v, row) => trip(v, v + row), own) as Text,
  },
  {
    name: 'a table-table joiner',
    step: 'culprit',
    build: (s) => {
      const [left, right] = [s.toTable({ store: 'left' }), s.filter((v) => v !== 'boom').toTable({ store: 'right' })]
      return toText(
        left
          .leftJoin(right, (l, r) => trip(l, [l, r]), own)
          .toStream()
          .filter((v) => !JSON.stringify(v).includes('boom')) as never,
      )
    },
  },
  {
    name: 'a stream-stream joiner',
    step: 'culprit',
    build: (s) =>
      s.join(
        s.mapValues((v) => v),
        (l, r) => trip(l, l + r),
        joinWindows.of(0).noGrace(),
        own,
      ) as Text,
  },
  {
    name: 'the joiner of a left record alone',
    step: 'culprit',
    timed: true,
    build: (s) =>
      s.leftJoin(
        s.filter(() => false),
        (l, r) => trip(l, `${l}${r}`),
        joinWindows.of(2).noGrace(),
        own,
      ) as Text,
  },
  {
    name: 'the joiner of a right record alone',
    step: 'culprit',
    timed: true,
    build: (s) =>
      s.filter(() => false).outerJoin(s, (l, r) => trip(r, `${l}${r}`), joinWindows.of(2).noGrace(), own) as Text,
  },
  {
    name: 'the joiner of a stream with itself',
    step: 'culprit',
    build: (s) => s.join(s, (l, r) => trip(l + r, l + r), joinWindows.of(0).noGrace(), own) as Text,
  },
  {
    name: 'the joiner of a record that waited for its table',
    step: 'culprit',
    timed: true,
    build: (s) =>
      s.leftJoin(
        s.filter((v) => v === 'one').toTable({ store: { name: 'rows', kind: 'versioned', history: 100 } }),
        (v, row) => trip(v, `${v}${row}`),
        { ...own, grace: 2 },
      ) as Text,
  },
  {
    name: 'a foreign key',
    step: 'culprit',
    build: (s) =>
      foreign(
        s,
        (v) => trip(v, v[0] as string),
        (l, r) => `${l}${r}`,
      ),
  },
  {
    name: 'a foreign joiner',
    step: 'culprit',
    build: (s) =>
      foreign(
        s,
        (v) => v[0] as string,
        (l, r) => trip(l, `${l}${r}`),
      ),
  },
  {
    name: 'the lookup of a global table',
    step: 'culprit',
    build: (s, builder) =>
      s.leftJoin(
        builder.globalTable('rows', text),
        (v) => trip(v, v),
        (v, row) => `${v}${row}`,
        own,
      ) as Text,
  },
  {
    name: 'the joiner with a global table',
    step: 'culprit',
    build: (s, builder) =>
      s.leftJoin(
        builder.globalTable('rows', text),
        (v) => v,
        (v, row) => trip(v, `${v}${row}`),
        own,
      ) as Text,
  },
  {
    name: 'a function that reads broadcast rules',
    step: 'culprit',
    build: (s) =>
      s.withBroadcast(
        s.filter((v) => v === 'one'),
        (v, rules) => trip(v, `${v}${rules.size < 0}`),
        own,
      ) as Text,
  },
]
