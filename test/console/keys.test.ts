import assert from 'node:assert/strict'
import { closeBrowser, openPage } from './browser.ts'
import { hundred } from './hundred.ts'
import { order, shop } from './shop.ts'

/** Left, top, right and bottom of the first that fits, within the window. */
const boxOf = (selector: string): string => `(() => {
  const { left, top, right, bottom } = document.querySelector(${JSON.stringify(selector)}).getBoundingClientRect()
  return { left, top, right, bottom, width: innerWidth, height: innerHeight }
})()`

interface Box {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
  readonly width: number
  readonly height: number
}

describe('the console: keys and focus', () => {
  after(closeBrowser)

  it('presses the button that has the focus by space, and opens a record by enter', async () => {
    const { app, producer, url } = await shop(0)
    await using _ = app
    await order(producer, 40)
    const { page, failed } = await openPage(`${url}/#/topics/orders`)
    const live = page.getByRole('button', { name: 'live', exact: true })
    await live.waitFor()
    assert.equal(await live.getAttribute('aria-pressed'), 'true')
    while (!(await live.evaluate((one) => one.matches(':focus')))) await page.keyboard.press('Tab')
    await page.keyboard.press(' ')
    await page.locator('.query [aria-pressed="false"]').waitFor()
    assert.equal(await page.getByRole('button', { name: 'held' }).count(), 0)
    const row = page.locator('.rows tbody tr').first()
    while (!(await row.evaluate((one) => one.matches(':focus')))) await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.locator('.rows .detail').getByText('"customer":').waitFor()
    assert.deepEqual(failed, [])
  })

  it('brings the card into sight that the tab key has come to, and leaves the graph where it was moved to', async () => {
    await using wide = await hundred()
    const { page } = await openPage(wide.url)
    await page.locator('[data-step="step-9-8"]').waitFor()
    for (let i = 0; i < 8; i++) await page.keyboard.press('+')
    const ground = (await page.evaluate(boxOf('.ground'))) as Box
    const last = page.locator('[data-step="step-9-8"]')
    await last.focus()
    await page.keyboard.press('Shift+Tab')
    await page.keyboard.press('Tab')
    const within = async (step: string): Promise<void> => {
      const box = (await page.evaluate(boxOf(`[data-step="${step}"]`))) as Box
      assert.ok(box.left >= ground.left && box.right <= box.width, `${step}: ${JSON.stringify(box)}`)
      assert.ok(box.top >= ground.top && box.bottom <= box.height, `${step}: ${JSON.stringify(box)}`)
    }
    const focused = (await page.evaluate('document.activeElement.dataset.step')) as string
    await within(focused)
    assert.equal(await page.evaluate('document.querySelector(".ground").scrollLeft'), 0)

    // its panel opens beside it: neither the size of the graph nor the card's being in sight changes
    const scale = async () => /scale\([^)]*\)/.exec((await page.locator('.cards').getAttribute('style')) ?? '')?.[0]
    const before = await scale()
    await page.keyboard.press('Enter')
    await page.locator('.card[aria-pressed="true"]').waitFor()
    await page.locator('aside.panel').waitFor()
    assert.equal(await scale(), before)
    const panel = (await page.evaluate(boxOf('aside.panel'))) as Box
    const card = (): Promise<Box> => page.evaluate(boxOf('.card[aria-pressed="true"]'))
    while ((await card()).right > panel.left) await page.waitForTimeout(20)
  })
})

describe('the console: on a narrow screen', () => {
  after(closeBrowser)

  it('has every page within the window, and all that is always wanted', async () => {
    const { app, producer, url } = await shop(0)
    await using _ = app
    await order(producer, 400)
    const { page, failed } = await openPage(url, { width: 390, height: 844 })
    await page.locator('[data-step="orders"]').waitFor()
    const orders = (await page.evaluate(boxOf('[data-step="orders"]'))) as Box
    assert.ok(orders.left >= 0 && orders.right <= 390)
    assert.ok(orders.right - orders.left > 100, 'a card can be read')
    for (const name of ['in', 'p99', 'lag']) await page.locator('.vitals dt', { hasText: name }).first().waitFor()
    for (const hash of ['flow/score', 'time', 'stores/spent', 'topics/orders', 'letters', 'tasks', 'errors']) {
      await page.goto(`${url}/#/${hash}`)
      await page.locator('main .panel, main .rows, main .chart, main .error').first().waitFor()
      const wide = (await page.evaluate(`(() => {
        const out = []
        for (const one of document.querySelectorAll('header.top, .rail, main, .panel, .opened, .chart, .error, .list, .scroll, .query'))
          if (one.getBoundingClientRect().right > innerWidth + 1) out.push(one.className)
        return out
      })()`)) as string[]
      assert.deepEqual(wide, [], hash)
    }
    assert.deepEqual(failed, [])
  })
})
