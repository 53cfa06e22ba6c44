import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readSavepoint } from '../../src/engine/app/state/savepoint.ts'
import { apps, readings } from '../engine/query/apps.ts'

describe('a savepoint over HTTP', () => {
  const running = apps()
  const folder = mkdtempSync(join(tmpdir(), 'dhaara-http-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  const make = (url: string, path: string) =>
    fetch(`${url}/api/savepoints`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ folder: path }),
    })

  it('is made where the server may, once', async () => {
    const { app, send, until } = await running({ http: { port: 0, admin: true } })
    await send(readings(50))
    await until(async () => (await app.store('places').count()) === 7)
    const path = join(folder, 'one')
    const answer = await make(app.httpUrl as string, path)
    const body = (await answer.json()) as { readonly rows: number; readonly app: string }
    assert.deepEqual([answer.status, body.app], [200, 'stores'])
    assert.equal(
      readSavepoint(path).stores.reduce((sum, { files }) => files.reduce((n, { rows }) => n + rows, sum), 0),
      body.rows,
    )
    const again = await make(app.httpUrl as string, path)
    assert.equal(again.status, 409)
    assert.match(((await again.json()) as { readonly detail: string }).detail, /choose one that does not exist/)
  }).timeout(30_000)

  it('is refused elsewhere', async () => {
    const { app } = await running({ http: { port: 0 } })
    const answer = await make(app.httpUrl as string, join(folder, 'two'))
    assert.equal(answer.status, 403)
    assert.match(((await answer.json()) as { readonly detail: string }).detail, /give it http: \{admin: true\}/)
  }).timeout(30_000)
})
