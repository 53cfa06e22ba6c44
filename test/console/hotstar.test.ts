import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { generate } from '../../examples/hotstar/generator.ts'
import { FINAL } from '../../examples/hotstar/match.ts'
import { buildPage } from '../../examples/hotstar/page/build.ts'
import topology from '../../examples/hotstar/topology.ts'
import { embeddedBroker, serdes, StreamsApp } from '../../src/index.ts'
import { hotstarModel } from '../examples/hotstar-model.ts'
import { closeBrowser, openPage } from './browser.ts'

/** A folder for pictures of the page; none are taken without it. */
const pictures = process.env['PICTURES']

describe('the page of the Hotstar job', () => {
  after(closeBrowser)

  it('shows the match as it is played, from the stores, and asks nobody else', async () => {
    const events = [...generate({ seed: 5, count: 20_000 })]
    const upTo = Math.floor(events.length * 0.9)
    const broker = embeddedBroker({ partitions: 1 })
    const pages = { hotstar: await buildPage() }
    await using app = new StreamsApp({ applicationId: 'hotstar', topology, broker, http: { port: 0, pages } })
    await app.start()
    const producer = broker.producer('hotstar-events', { key: serdes.string(), value: serdes.json<object>() })
    const send = (from: number, to: number): Promise<unknown> =>
      Promise.all(
        events.slice(from, to).map((value) => {
          return producer.send({ key: value.sessionId, value, timestamp: value.timestamp })
        }),
      )
    await send(0, upTo)

    const { page, strayed, failed } = await openPage(`${app.httpUrl}/`)
    await page.getByRole('link', { name: 'hotstar' }).click()
    await page.getByRole('heading', { name: 'Chennai v Mumbai, the final' }).waitFor()
    const shows = ({ concurrent, peak }: Minute): Promise<void> =>
      page
        .locator(`[data-viewers="${concurrent}"]`)
        .waitFor()
        .then(() => {
          assert.ok(peak >= concurrent)
        })
    await shows(lastClosed(events.slice(0, upTo)))
    await send(upTo, events.length)
    await shows(lastClosed(events))

    await page.locator('.viewers').waitFor()
    await page.locator('[data-region="mumbai"].over').waitFor()
    await page.locator('.regions li.over', { hasText: 'spills to Pune' }).waitFor()
    await page.locator('.alerts li.milestone', { hasText: 'watch the final' }).first().waitFor()
    await page.locator('.square', { hasText: /^\d+$/ }).first().waitFor()
    const asked = events[100]!.sessionId
    await page.getByRole('textbox', { name: 'Session' }).fill(asked)
    await page.getByRole('button', { name: 'Ask' }).click()
    const session = (await app.store('sessions').get(asked)) as { readonly playing: boolean; readonly events: number }
    const told = page.locator(`[data-session="${asked}"]`)
    await told.filter({ hasText: `${session.events} event` }).waitFor()
    assert.match(await told.innerText(), session.playing ? /^plays/ : /^does not play/)

    const ground = () => page.evaluate('getComputedStyle(document.body).backgroundColor')
    const dark = await ground()
    if (pictures !== undefined) {
      mkdirSync(pictures, { recursive: true })
      await page.screenshot({ path: `${pictures}/hotstar.png`, fullPage: true })
    }
    await page.getByTitle('Dark or light (d)').click()
    assert.notEqual(await ground(), dark)
    if (pictures !== undefined) await page.screenshot({ path: `${pictures}/hotstar-light.png`, fullPage: true })
    assert.deepEqual(failed, [])
    assert.deepEqual(strayed, [])
  })
})

interface Minute {
  readonly concurrent: number
  readonly peak: number
}

/** The row of the final's last minute that these events close, by the model. */
function lastClosed(events: readonly { readonly timestamp: number }[]): Minute {
  const watermark = Math.max(...events.map(({ timestamp }) => timestamp)) - 10_000 - 1
  const rows = hotstarModel(events as Parameters<typeof hotstarModel>[0])['hotstar-minutes'] ?? []
  const closed = rows.filter(({ key }) => {
    const { key: content, window } = key as { readonly key: string; readonly window: { readonly end: number } }
    return content === FINAL && window.end + 20_000 - 1 <= watermark
  })
  return closed.at(-1)?.value as Minute
}
