import { AfterMatchSkip, pattern } from '../../../../src/index.ts'
import { type Kind, own, trip, type Text } from './kind.ts'

const any = () => pattern<string>().begin('one')
const twoInARow = () => any().next('two')
const bad = (v: string) => v.includes('boom')
/** Matches of others come out as if the bad one had not been. */
const skip = { ...own, skip: AfterMatchSkip.pastLastEvent() }
const joined = (match: object): string => Object.values(match).flat().join('+')

/** Records are matched in the order of time: when W has come to them, the record is at hand no more, but its place is known. */
export const patterns: readonly Kind[] = [
  {
    name: 'a pattern’s where',
    step: 'culprit',
    build: (s) =>
      s
        .match(
          any().where((v) => trip(v, true)),
          own,
        )
        .select(joined) as Text,
  },
  {
    name: 'a pattern’s where that looks back',
    step: 'culprit',
    build: (s) =>
      s
        .match(
          any()
            .followedBy('two')
            .where((v, ctx) => trip(v, ctx.eventsFor('one').length > 0)),
          own,
        )
        .select(joined) as Text,
  },
  {
    name: 'a pattern’s where, after other runs have taken the record',
    step: 'culprit',
    build: (s) =>
      s
        .match(
          any()
            .followedByAny('two')
            .where((v, ctx) => (ctx.eventsFor('one')[0] === 'one' ? true : trip(v, true))),
          own,
        )
        .select(joined)
        .filter((v) => !bad(v)) as Text,
    // the run that began with the bad record itself may not be there either
    at: 13,
  },
  {
    name: 'a pattern’s or',
    step: 'culprit',
    build: (s) =>
      s
        .match(
          any()
            .where(() => false)
            .or((v) => trip(v, true)),
          own,
        )
        .select(joined) as Text,
  },
  {
    name: 'a pattern’s subtype',
    step: 'culprit',
    build: (s) =>
      s
        .match(
          any().subtype((v): v is string => trip(v, true)),
          own,
        )
        .select(joined) as Text,
  },
  {
    name: 'a pattern’s until',
    step: 'culprit',
    build: (s) =>
      s
        .match(
          any()
            .followedBy('more')
            .oneOrMore()
            .until((v) => trip(v, v === 'three')),
          own,
        )
        .select(joined) as Text,
  },
  {
    name: 'a pattern’s sum',
    step: 'culprit',
    at: 14,
    build: (s) =>
      s
        .match(
          twoInARow().where((_, ctx) => ctx.sum('one', (v) => trip(v, v.length)) > 0),
          skip,
        )
        .select(joined)
        .filter((v) => !bad(v)) as Text,
    later: [['a', 'after', 15]],
    offset: 4,
  },
  {
    name: 'select',
    step: 'culprit',
    build: (s) => s.match(any(), own).select((m) => trip(m.one[0], joined(m))) as Text,
  },
  {
    name: 'flatSelect',
    step: 'culprit',
    build: (s) => s.match(any(), own).flatSelect((m) => trip(m.one[0], [joined(m), 'twice'])) as Text,
  },
  {
    name: 'flatSelect, half-way',
    step: 'culprit',
    build: (s) =>
      s.match(any(), own).flatSelect(function* (m) {
        yield trip(m.one[0], joined(m))
      }) as Text,
  },
  {
    name: 'timedOut',
    step: 'culprit',
    timed: true,
    build: (s) =>
      s
        .match(
          any()
            .followedBy('never')
            .where(() => false)
            .within(5),
          own,
        )
        .select(joined, { timedOut: (m) => trip(m.one?.[0], `gave up on ${m.one?.[0]}`) }) as Text,
  },
  {
    name: 'the comparator of a match',
    step: 'culprit',
    timed: true,
    bad: [['b', 'boom', 11]],
    build: (s) =>
      s
        .match(any(), { ...own, orderBy: (a: string, b: string) => trip(a + b, a < b ? -1 : 1) })
        .select(joined)
        .filter((v) => !bad(v)) as Text,
  },
]
