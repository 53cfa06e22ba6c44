import assert from 'node:assert/strict'
import { embeddedBroker, serdes, StreamsApp, StreamsBuilder } from '../../src/index.ts'
import { closeBrowser, openPage } from './browser.ts'
import { order, shop } from './shop.ts'

/** In the page: how long each frame takes from now on, ms. */
function recordFrames(): void {
  const page = globalThis as unknown as { frames: number[]; requestAnimationFrame(next: (now: number) => void): void }
  page.frames = []
  let last = performance.now()
  const next = (now: number): void => {
    page.frames.push(now - last)
    last = now
    page.requestAnimationFrame(next)
  }
  page.requestAnimationFrame(next)
}

describe('the console: pages', () => {
  after(closeBrowser)

  it('shows rows, records, letters, tasks and errors, and replays a letter once', async () => {
    const { app, producer, url } = await shop(0)
    await using _ = app
    await order(producer, 200)
    const { page, strayed, failed } = await openPage(url)
    await page.locator('[data-step="orders"]').waitFor()

    await page.keyboard.press('3')
    await page.getByRole('row', { name: /^c1 / }).first().waitFor()
    await page.getByRole('textbox', { name: 'key', exact: true }).fill('c7')
    await page.getByRole('button', { name: 'Ask' }).click()
    await page.getByRole('row', { name: /^c7 / }).waitFor()
    assert.equal(await page.locator('.rows tbody tr').count(), 1)
    const before = await page.getByRole('row', { name: /^c7 / }).innerText()
    await page.getByRole('button', { name: 'live', exact: true }).click()
    await page.getByRole('row', { name: /^c7 / }).waitFor()
    await order(producer, 50)
    await page.waitForFunction(
      `document.querySelector('.rows tbody tr')?.textContent !== ${JSON.stringify(before.replace('\t', ''))}`,
    )

    await page.keyboard.press('Escape')
    await page.goto(`${url}/#/topics/orders`)
    await page
      .getByRole('cell', { name: /"customer":"c\d+"/ })
      .first()
      .waitFor()

    await page.goto(`${url}/#/letters`)
    await page.getByText('thirteen rupees are unlucky').first().waitFor()
    assert.match(await page.locator('.culprit').first().innerText(), /shop\.ts:\d+/)
    await page.getByRole('button', { name: 'Replay', exact: true }).click()
    await page.getByText('1 replayed').waitFor()

    await page.goto(`${url}/#/tasks`)
    assert.equal(await page.locator('.tasks tbody tr').count(), 8)
    await page.goto(`${url}/#/errors`)
    await page.getByText('thirteen rupees are unlucky').first().waitFor()
    await page.goto(`${url}/#/time`)
    await page.locator('.plot canvas').nth(4).waitFor()
    assert.deepEqual(failed, [])
    assert.deepEqual(strayed, [])
  })

  it('is dark or light as the system says, until one says otherwise', async () => {
    const { app, url } = await shop(0)
    await using _ = app
    const ground = () => page.evaluate('getComputedStyle(document.body).backgroundColor')
    const { page } = await openPage(url, { theme: 'light' })
    await page.locator('[data-step="orders"]').waitFor()
    const light = await ground()
    await page.keyboard.press('d')
    const dark = await ground()
    assert.notEqual(dark, light)
    await page.reload()
    await page.locator('[data-step="orders"]').waitFor()
    assert.equal(await ground(), dark)
  })

  it('asks for the token that the app wants', async () => {
    const builder = new StreamsBuilder()
    builder.stream('in', { value: serdes.string() }).to('out', { value: serdes.string() })
    const http = { port: 0, token: 'secret' }
    const topology = builder.build()
    await using app = new StreamsApp({ applicationId: 'guarded', topology, broker: embeddedBroker(), http })
    await app.start()
    const { page } = await openPage(app.httpUrl as string)
    await page.getByLabel('Token', { exact: true }).last().fill('secret')
    await page.keyboard.press('Enter')
    await page.locator('[data-step="in"]').waitFor()
  })

  it('draws a hundred steps, and follows the pointer', async () => {
    const builder = new StreamsBuilder()
    for (let i = 0; i < 10; i++) {
      let stream = builder.stream(`in${i}`, { key: serdes.string(), value: serdes.string() })
      for (let k = 0; k < 9; k++) stream = stream.filter((v) => v.length > k, { name: `step-${i}-${k}` })
      stream.to(`out${i}`, { key: serdes.string(), value: serdes.string() })
    }
    const topology = builder.build()
    await using app = new StreamsApp({ applicationId: 'wide', topology, broker: embeddedBroker(), http: { port: 0 } })
    await app.start()
    const { page, failed } = await openPage(app.httpUrl as string)
    await page.locator('[data-step="step-9-8"]').waitFor()
    assert.equal(await page.locator('.card').count(), 110)
    const place = () => page.locator('.cards').getAttribute('style')
    const before = await place()
    await page.mouse.move(700, 780)
    await page.mouse.down()
    await page.mouse.move(760, 740, { steps: 5 })
    await page.mouse.up()
    assert.notEqual(await place(), before)
    await page.keyboard.press('f')
    assert.equal(await place(), before)
    await page.evaluate(recordFrames)
    await page.mouse.down()
    for (let i = 0; i < 60; i++) await page.mouse.move(700 + 3 * i, 780 - 2 * i)
    await page.mouse.up()
    const took = await page.evaluate(() => (globalThis as unknown as { frames: number[] }).frames)
    const frames = took.toSorted((a, b) => a - b)
    assert.ok(frames.length > 0, 'nothing was drawn while the graph was dragged')
    const at = (share: number): string => (frames[Math.floor(share * (frames.length - 1))] as number).toFixed(1)
    console.log(
      `      ${frames.length} frames of 110 steps: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, longest ${at(1)} ms`,
    )
    assert.deepEqual(failed, [])
  })
})
