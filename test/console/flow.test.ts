import assert from 'node:assert/strict'
import { closeBrowser, openPage } from './browser.ts'
import { order, shop } from './shop.ts'

describe('the console: flow', () => {
  after(closeBrowser)

  it('shows each step with its rate, and says which one is slow and which partition is behind', async () => {
    const { app, producer, url } = await shop(0.4)
    await using _ = app
    await order(producer, 400)
    await order(producer, 30_000, 2)
    const { page, strayed, failed } = await openPage(url)
    await page.getByRole('button', { name: /^score, map/ }).waitFor()
    for (const name of ['orders', 'paid', 'score', 'superstition', 'busy', 'scored'])
      assert.equal(await page.locator(`[data-step]:has-text("${name}")`).first().isVisible(), true, name)
    await page.getByText('score costs most').waitFor()
    await page.getByText('orders / 2 is behind').waitFor()
    await page.getByText('score costs most').click()
    const panel = page.getByRole('complementary', { name: 'Step score' })
    await panel.waitFor()
    assert.match(await panel.innerText(), /\d+ %\s*of a core/)
    assert.match(await panel.innerText(), /shop\.ts:\d+/)
    assert.deepEqual(failed, [])
    assert.deepEqual(strayed, [])
  })

  it('goes from step to step by keys, and back', async () => {
    const { app, producer, url } = await shop(0)
    await using _ = app
    await order(producer, 400)
    const { page } = await openPage(url)
    await page.locator('[data-step="orders"]').waitFor()
    await page.keyboard.press('ArrowRight')
    const pressed = () => page.locator('.card[aria-pressed="true"]').getAttribute('data-step')
    assert.equal(await pressed(), 'orders')
    await page.keyboard.press('ArrowRight')
    const second = await pressed()
    assert.notEqual(second, 'orders')
    await page.keyboard.press('Escape')
    assert.equal(await page.locator('.card[aria-pressed="true"]').count(), 0)
    await page.keyboard.press('/')
    await page.keyboard.type('superst')
    await page.keyboard.press('Enter')
    assert.equal(await pressed(), 'superstition')
  })
})
