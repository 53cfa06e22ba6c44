import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { metricsPage } from '../../scripts/docs-metrics.ts'
import { shop, customers } from './shop.ts'

interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Prometheus' text format, as strictly as its page has it. */
function parse(text: string): { types: Map<string, string>; helps: Map<string, string>; samples: Sample[] } {
  const types = new Map<string, string>()
  const helps = new Map<string, string>()
  const samples: Sample[] = []
  assert.ok(text.endsWith('\n'))
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const told = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line)
    if (told !== null) {
      const into = told[1] === 'HELP' ? helps : types
      assert.ok(!into.has(told[2]!), `${line} comes twice`)
      into.set(told[2]!, told[3]!)
      continue
    }
    const found = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (NaN|[+-]?Inf|[-+\d.e]+)$/.exec(line)
    assert.ok(found, line)
    const labels = Object.fromEntries(
      [...(found[2] ?? '').matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|$)/g)].map(([, name, value]) => [
        name,
        value,
      ]),
    )
    samples.push({ name: found[1]!, labels, value: found[3] === '+Inf' ? Number.POSITIVE_INFINITY : Number(found[3]) })
  }
  return { types, helps, samples }
}

describe('metrics over HTTP', () => {
  it('are what Prometheus takes, named and counted by its rules', async () => {
    await using running = await shop({ port: 0 })
    const { app, url } = running
    await running.send(customers(200))
    while ((await app.store('customers').count()) < 200) await new Promise((resolve) => setImmediate(resolve))
    const { types, helps, samples } = parse(await (await fetch(`${url}/metrics`)).text())
    const own = [...types].filter(([name]) => name.startsWith('dhaara_'))
    assert.ok(own.length >= 20)
    for (const [name, type] of own) {
      assert.ok((helps.get(name) ?? '').length > 10, `${name} has no help`)
      assert.equal(name.endsWith('_total'), type === 'counter', `${name} is a ${type}`)
      assert.doesNotMatch(name, /_(ms|millis|milliseconds|minutes|kb|mb|percent)(_|$)/, name)
      assert.doesNotMatch(name, /_(count|sum|bucket)$/, name)
    }
    const of = (name: string, labels: Record<string, string> = {}): Sample[] =>
      samples.filter(
        (sample) => sample.name === name && Object.entries(labels).every(([label, is]) => sample.labels[label] === is),
      )
    for (const [name, type] of own) {
      if (type !== 'histogram') continue
      for (const { labels, value: count } of of(`${name}_count`)) {
        const { app: _, ...rest } = labels
        const buckets = of(`${name}_bucket`, rest)
        assert.equal(buckets.at(-1)?.labels['le'], '+Inf', name)
        assert.equal(buckets.at(-1)?.value, count, name)
        for (const [i, bucket] of buckets.entries()) assert.ok(bucket.value >= (buckets[i - 1]?.value ?? 0), name)
      }
    }
    assert.equal(of('dhaara_store_cache_hits_total', { store: 'customers' })[0]?.value, 200)
    assert.equal(of('dhaara_store_cache_misses_total', { store: 'customers' })[0]?.value, 0)
    assert.equal(of('dhaara_records_in_total')[0]?.value, 200)
    assert.equal(of('dhaara_latency_seconds_count')[0]?.value, 200)
    assert.ok(of('dhaara_latency_seconds_sum')[0]!.value > 0)
    const checkpoints = of('dhaara_checkpoint_seconds_count')[0]!.value
    for (const part of ['flush', 'write'])
      assert.equal(of('dhaara_checkpoint_part_seconds_count', { part })[0]?.value, checkpoints, part)
  }).timeout(30_000)

  it('are all on their page', () => {
    const text = readFileSync('docs/metrics.md', 'utf8')
    assert.equal(metricsPage(text), text, 'docs/metrics.md is not up to date: npm run docs:metrics')
  })
})
