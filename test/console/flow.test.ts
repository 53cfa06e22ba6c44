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
    const pressed = (step: string) => page.locator(`.card[aria-pressed="true"]${step}`).waitFor()
    await page.keyboard.press('ArrowRight')
    await pressed('[data-step="orders"]')
    await page.keyboard.press('ArrowRight')
    await pressed(':not([data-step="orders"])')
    await page.keyboard.press('Escape')
    await page.locator('.card[aria-pressed="true"]').waitFor({ state: 'detached' })
    await page.keyboard.press('/')
    const box = page.getByRole('textbox', { name: /^Name of a step/ })
    await box.fill('superst')
    await page.locator('.palette .at', { hasText: 'superstition' }).waitFor()
    await page.keyboard.press('Enter')
    await pressed('[data-step="superstition"]')
  })
})
