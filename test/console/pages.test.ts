import assert from 'node:assert/strict'
import { embeddedBroker, serdes, StreamsApp, StreamsBuilder } from '../../src/index.ts'
import { closeBrowser, openPage } from './browser.ts'
import { hundred } from './hundred.ts'
import { order, shop } from './shop.ts'

type Changes = Record<string, number>

/** For the page: counts what changes within the graph from now on, by card and kind. */
const countChanges = `{
  const changes = {}
  new MutationObserver((all) => {
    for (const { target, type, attributeName } of all) {
      const at = target instanceof Element ? target : target.parentElement
      const whose = at?.closest('[data-step]')?.getAttribute('data-step') ?? at?.className ?? ''
      const what = whose + ' ' + (type === 'attributes' ? attributeName : 'text')
      changes[what] = (changes[what] ?? 0) + 1
    }
  }).observe(document.querySelector('.cards'), { attributes: true, childList: true, characterData: true, subtree: true })
  globalThis.changes = changes
}`

const changesFound = (): Changes => (globalThis as unknown as { changes: Changes }).changes

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

  it('draws a hundred steps once, and follows the pointer and the job by what changes', async () => {
    await using wide = await hundred()
    const { page, failed } = await openPage(wide.url)
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

    // with the app at rest and the page held still, a drag moves the one box that all cards are in
    await page.keyboard.press(' ')
    await page.evaluate(countChanges)
    await page.mouse.down()
    for (let i = 0; i < 60; i++) await page.mouse.move(700 + 3 * i, 780 - 2 * i)
    await page.mouse.up()
    const dragged = await page.evaluate(changesFound)
    assert.deepEqual(Object.keys(dragged), ['cards style'])
    assert.ok(dragged['cards style']! <= 60)
    await page.keyboard.press(' ')

    // a line of ten steps has something to tell; the cards of the other nine lines are left alone, as all are where they stand
    await page.evaluate(countChanges)
    await wide.send(0, 500)
    await page.locator('[data-step="step-0-8"]:not([aria-label*=": 0 records"])').waitFor()
    const told = await page.evaluate(changesFound)
    const cards = Object.keys(told).filter((what) => what !== 'cards style')
    assert.ok(cards.length > 0)
    for (const what of cards) assert.match(what, /^(step-0-\d(-to-\d+)?|in0|out0) /)
    assert.deepEqual(failed, [])
  })
})
