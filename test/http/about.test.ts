import assert from 'node:assert/strict'
import { servedApp } from './served.ts'

describe('an app over HTTP', () => {
  const served = servedApp()

  it('shows what the app is and does', async () => {
    const about = (await served.json('/api/app')) as Record<string, unknown>
    assert.deepEqual([about['applicationId'], about['state']], ['stores', 'running'])
    const stores = (await served.json('/api/stores')) as { name: string; kind: string; partitions: number }[]
    assert.deepEqual(
      stores.find(({ name }) => name === 'visits'),
      { name: 'visits', kind: 'window', partitions: 3, indexes: [] },
    )
    const tasks = (await served.json('/api/tasks')) as { id: string; stores: string[] }[]
    assert.ok(tasks.some((task) => task.id === '0_2' && task.stores.includes('sums')))
    const topics = (await served.json('/api/topics')) as {
      name: string
      partitions: { end: number; position?: number }[]
    }[]
    const inputs = topics.find(({ name }) => name === 'readings')?.partitions
    assert.deepEqual(
      inputs?.map(({ position }) => position),
      inputs?.map(({ end }) => end),
    )
    const checkpoints = (await served.json('/api/checkpoints')) as { epoch: number }[]
    assert.ok(checkpoints.length > 0)
    assert.match(await (await served.get('/api/topology?format=mermaid')).text(), /^(flowchart|graph) /)
    assert.ok(JSON.stringify(await served.json('/api/topology')).includes('"hours"'))
    assert.deepEqual(await served.json('/livez'), { status: 'ok', state: 'running' })
    assert.deepEqual(await served.json('/readyz'), { status: 'ok', state: 'running' })
  })

  it('has metrics for Prometheus', async () => {
    const response = await served.get('/metrics')
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
    const text = await response.text()
    assert.match(text, /^dhaara_records_in_total\{app="stores"\} 100$/m)
    assert.match(text, /^dhaara_running\{app="stores"\} 1$/m)
    assert.match(text, /^dhaara_input_lag_records\{topic="readings",partition="0",app="stores"\} 0$/m)
    assert.match(text, /^dhaara_checkpoint_seconds_count\{app="stores"\} [1-9]/m)
    assert.match(text, /^dhaara_watermark_timestamp_seconds\{app="stores"\} \d+/m)
    assert.match(text, /^process_cpu_seconds_total/m)
  })

  it('documents keys as the JSON that they are, and bodies as closed', async () => {
    const { paths } = (await served.json('/openapi.json')) as {
      paths: Record<string, Record<string, { parameters: { name: string; content?: object }[]; requestBody?: object }>>
    }
    const { parameters } = paths['/api/stores/{store}/row']?.['get'] ?? { parameters: [] }
    assert.deepEqual(parameters.find(({ name }) => name === 'key')?.content, { 'application/json': { schema: {} } })
    const bodies = Object.values(paths).flatMap(({ post }) =>
      post === undefined ? [] : [JSON.stringify(post.requestBody)],
    )
    assert.ok(bodies.length >= 4)
    for (const body of bodies) assert.match(body, /"additionalProperties":false/)
  })
})
