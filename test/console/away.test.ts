import assert from 'node:assert/strict'
import { createServer, connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { embeddedBroker, serdes, StreamsApp, StreamsBuilder } from '../../src/index.ts'
import { closeBrowser, openPage } from './browser.ts'
import { order, shop } from './shop.ts'

/** Passes what goes between a browser and an app on, as long as it is let. */
async function between(target: string) {
  const { port } = new URL(target)
  const sockets = new Set<Socket>()
  let held = false
  const server = createServer((near) => {
    const far = connect(Number(port), '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
      from.on('data', (data) => void to.write(data))
      if (held) from.pause()
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as { readonly port: number }).port}`,
    hold(on: boolean) {
      held = on
      for (const socket of sockets) socket[on ? 'pause' : 'resume']()
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

describe('the console: an app that does not answer', () => {
  after(closeBrowser)

  it('is said to be silent, while what is shown is old', async () => {
    const { app, producer, url } = await shop(0)
    await using _ = app
    await order(producer, 100)
    await using way = await between(url)
    const { page } = await openPage(way.url)
    await page.locator('.state.running').waitFor()
    way.hold(true)
    await page.getByText('the app is silent').waitFor()
    await page.locator('main.stale').waitFor()
    await page.getByText('The app does not answer').waitFor()
    way.hold(false)
    await page.locator('.state.running').waitFor()
    await page.locator('main:not(.stale)').waitFor()
  })

  it('is asked with a token until it is the right one', async () => {
    const builder = new StreamsBuilder()
    builder.stream('in', { value: serdes.string() }).to('out', { value: serdes.string() })
    const http = { port: 0, token: 'secret' }
    const topology = builder.build()
    await using app = new StreamsApp({ applicationId: 'guarded', topology, broker: embeddedBroker(), http })
    await app.start()
    const { page } = await openPage(app.httpUrl as string)
    const box = page.getByLabel('Token', { exact: true }).last()
    await box.waitFor()
    // there is nothing behind it: it does not go
    for (let i = 0; i < 3; i++) await page.keyboard.press('Escape')
    await box.fill('another')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').waitFor()
    await box.fill('secret')
    await page.keyboard.press('Enter')
    await page.locator('[data-step="in"]').waitFor()
    assert.equal(await page.getByRole('alert').count(), 0)
  })

  it('shows letters by the page, the newest first', async () => {
    const { app, producer, url } = await shop(0)
    await using _ = app
    await order(producer, 25_000)
    const { page } = await openPage(`${url}/#/letters`)
    await page.getByRole('button', { name: 'older' }).click()
    await page.getByRole('button', { name: 'newer' }).and(page.locator(':enabled')).waitFor()
    const rows = page.locator('.letters tbody tr')
    await rows.nth(99).waitFor()
    await page.getByRole('button', { name: 'older' }).click()
    while ((await rows.count()) !== 50) await page.waitForTimeout(20)
    assert.equal(await page.getByRole('button', { name: 'older' }).isDisabled(), true)
  })
})
