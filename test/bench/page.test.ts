import assert from 'node:assert/strict'
import { environment } from '../../bench/harness/report.ts'
import { resultsOf } from '../../bench/page/lines.ts'
import { pageOf } from '../../bench/page/page.ts'
import { barChart, lineChart, short } from '../../bench/page/svg.ts'
import { topOf } from '../../bench/profile.ts'

const line = (more: object) => ({
  suite: 'ceilings',
  case: 'tumbling',
  subject: 'dhaara',
  variant: 'codegen',
  records: 1000,
  seconds: 1,
  recordsPerSecond: 1000,
  cpuSeconds: 1,
  recordsPerCpuSecond: 1000,
  peakRssMb: 100,
  spread: 0.01,
  runs: 1,
  rates: [1000],
  correct: true,
  checksum: 'ff',
  ...environment(),
  ...more,
})
const against = (ratio: number, more: object = {}) =>
  line({ against: 'hand-written', ratio, ratioOf: 'cpu', ratesAgainst: [1000 / ratio], ...more })

describe('performance page', () => {
  const page = (...lines: { readonly suite: string }[]) => pageOf(resultsOf(lines))
  const text = (...lines: { readonly suite: string }[]): string => page(...lines).get('performance.md')!

  it('leaves out what was not measured', () => {
    assert.ok(!text(against(1.2)).includes('## Nexmark'))
    assert.deepEqual([...page().keys()], ['performance.md'])
  })

  it('names every line that is below 1, and says none if there is none', () => {
    const both = text(against(1.2), against(0.5, { case: 'hopping' }))
    assert.match(both, /- hopping, dhaara \(codegen\): 0\.50 of hand-written/)
    assert.doesNotMatch(both, /- tumbling, dhaara/)
    assert.match(text(against(1.2)), /- none/)
    assert.match(text(against(1.2), against(0.5, { case: 'hopping', against: 'tumbling' })), /- none/)
  })

  it('shows what was measured on a cluster, of questions and of hot keys', () => {
    const restart = { suite: 'kafka', case: 'restart', variant: 'local', records: 1, seconds: 1.5, cpuSeconds: 1.25 }
    const question = { suite: 'queries', case: 'points-code', variant: 'code', jobRatio: 0.97, p50Ms: 1, p99Ms: 2 }
    const hot = { suite: 'skew', case: 'two-phase', workers: 2, uniformPerSecond: 1000, hotPerSecond: 2000, ratio: 0.5 }
    const shown = text(line(restart), line(question), hot, against(0.5, { suite: 'kafka' }))
    assert.match(shown, /## On a Kafka cluster[^]*\| dhaara \(local\) \| 1\.50 \| 1\.25 \|/)
    assert.match(shown, /## What asking costs[^]*\| points-code \| code \| 1 k \| 1 k \| 1\.00 \| 2\.00 \| 0\.97 \|/)
    assert.match(shown, /## What a hot key costs[^]*\| two-phase \| 2 \| 1 k \| 2 k \| 0\.50 \|/)
    assert.match(shown, /- tumbling, dhaara \(codegen\): 0\.50 of hand-written/)
  })

  it('shows what more processes bring, how busy the machine was, and what the client of Kafka takes', () => {
    const processes = { suite: 'scale', case: 'processes', busyCores: 2 }
    const client = { suite: 'kafka', case: 'client-json-in-out', recordsPerCpuSecond: 500_000 }
    const shown = text(
      line({ ...processes, x: 1 }),
      line({ ...processes, x: 2, recordsPerSecond: 1500, recordsPerCpuSecond: 800 }),
      line({ ...client, variant: 'exactly-once' }),
      line({ ...client, variant: 'no broker', recordsPerCpuSecond: 1_000_000 }),
      against(0.5, { ...client, variant: 'exactly-once', against: 'dhaara (no broker)' }),
    )
    assert.match(shown, /\| 2 \| 1\.5 k \| 1\.50 \| 800 \| 0\.80 \| 2\.00 \| 1\.88 \| 100 \| yes \|/)
    assert.match(shown, /\| json-in-out \| 2\.00 \| 1\.00 \| 1\.00 \| yes \|/)
    assert.match(shown, /- none/)
  })

  it('shows what the start took apart from the rate', () => {
    const workers = { suite: 'scale', case: 'workers' }
    const shown = text(line({ ...workers, x: 0, startMs: 17 }), line({ ...workers, x: 2, startMs: 520 }))
    assert.match(shown, /\| start ms \| MiB \| right \|/)
    assert.match(shown, /\| 2 \|.*\| 520 \| 100 \| yes \|/)
  })

  it('has each plot that it shows, and shows each that it has', () => {
    const latency = { suite: 'latency', case: 'embedded', variant: 'exactly-once' }
    const files = page(
      against(1.2),
      line({ suite: 'peers' }),
      against(2, { suite: 'peers', against: 'flink (heap)' }),
      line({ suite: 'nexmark', case: 'q0', perCore: 200, publishedFlinkPerCore: 155 }),
      line({ suite: 'scale', case: 'workers', x: 0 }),
      line({ suite: 'scale', case: 'workers', x: 2 }),
      line({ suite: 'scale', case: 'steps', x: 10 }),
      line({ suite: 'scale', case: 'steps', x: 100 }),
      ...[100, 1000].map((offeredPerSecond) => ({
        ...latency,
        ...{ offeredPerSecond, p50Ms: 1, p99Ms: 2, p999Ms: 3, maxMs: 4 },
      })),
      line({ suite: 'kafka', case: 'source', variant: 'decoded' }),
      against(2, { suite: 'kafka', case: 'source', variant: 'decoded', against: 'kafkajs (decoded)' }),
      { suite: 'profile', case: 'tumbling', top: [{ at: 'read a|b', share: 0.5 }] } as { suite: string },
    )
    const shown = [...files.get('performance.md')!.matchAll(/\]\((performance\/[^)]+)\)/g)].map(([, path]) => path)
    assert.deepEqual(shown.toSorted(), [...files.keys()].filter((path) => path.endsWith('.svg')).toSorted())
    assert.equal(shown.length, 7)
    for (const path of shown) assert.doesNotMatch(files.get(path!)!, /NaN|Infinity|undefined/)
    assert.match(files.get('performance.md')!, /read a\\\|b/)
  })
})

describe('plots', () => {
  it('make bars as long as their values', () => {
    const widths = [
      ...barChart('t', [
        { label: 'a', value: 10, text: '10', group: 0 },
        { label: 'b < c', value: 5, text: '5', group: 1 },
      ]).matchAll(/<rect [^>]*width="([\d.]+)"/g),
    ].map(([, width]) => Number(width))
    assert.equal(widths[0], 2 * widths[1]!)
  })

  it('put points on logarithmic axes', () => {
    const points = [1, 10, 100].map((x): readonly [number, number] => [x, x])
    const places = /points="([^"]+)"/.exec(lineChart('t', [{ name: 's', points }], { x: 'x', y: 'y' }))![1]!
    const [a, b, c] = places.split(' ').map((place) => place.split(',').map(Number) as [number, number])
    assert.ok(Math.abs(b![0] - a![0] - (c![0] - b![0])) < 0.2)
    assert.ok(a![1] > b![1] && b![1] > c![1])
    assert.throws(() => lineChart('t', [{ name: 's', points: [[0, 1]] }], { x: 'x', y: 'y' }), RangeError)
  })

  it('shorten numbers', () => {
    assert.deepEqual([1_234_567, 45_678, 999, 0.5].map(short), ['1.23 M', '45.7 k', '999', '0.5'])
  })
})

describe('CPU profiles', () => {
  it('add up self time by function, without what was idle', () => {
    const frame = (functionName: string, url = '') => ({ functionName, url })
    const top = topOf({
      nodes: [
        { id: 1, callFrame: frame('(idle)') },
        { id: 2, callFrame: frame('read', 'file:///x/src/dsl/a.ts') },
        { id: 3, callFrame: frame('read', 'file:///x/src/dsl/a.ts') },
        { id: 4, callFrame: frame('', 'node:fs') },
      ],
      samples: [1, 2, 3, 4],
      timeDeltas: [1000, 10, 20, 10],
    })
    assert.deepEqual(top, [
      { at: 'read src/dsl/a.ts', share: 0.75 },
      { at: '(anonymous) node fs', share: 0.25 },
    ])
  })
})
