/**
 * `npm run console:frames`: how long the frames of the console take in Chromium, with a topology of 110 steps through which 20,000
 * records a second go: while one looks on, while the graph is dragged, and while one goes from step to step. For a machine
 * without other work.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { closeBrowser, openPage } from '../../test/console/browser.ts'
import { hundred } from '../../test/console/hundred.ts'

const seconds = Number(process.argv[2] ?? 8)
const page = globalThis as unknown as { frames: number[]; requestAnimationFrame(next: (now: number) => void): void }

/** In the page: how long each frame takes from now on, ms. */
function recordFrames(): void {
  page.frames = []
  let last = performance.now()
  const next = (now: number): void => {
    page.frames.push(now - last)
    last = now
    page.requestAnimationFrame(next)
  }
  page.requestAnimationFrame(next)
}

await using wide = await hundred()
const { page: tab } = await openPage(wide.url)
await tab.locator('[data-step="step-9-8"]').waitFor()
let going = true
const load = (async () => {
  for (let i = 0; going; i++) {
    await wide.send(i % 10, 200)
    await sleep(10)
  }
})()
await sleep(3000)

async function measure(what: string, act: (i: number) => Promise<void>): Promise<void> {
  await tab.reload()
  await tab.locator('[data-step="step-9-8"]').waitFor()
  await sleep(2000)
  await tab.evaluate(`const page = globalThis; (${recordFrames})()`)
  const until = performance.now() + seconds * 1000
  for (let i = 0; performance.now() < until; i++) await act(i)
  const frames = ((await tab.evaluate('frames')) as number[]).toSorted((a, b) => a - b)
  const at = (share: number): string =>
    (frames[Math.floor(share * (frames.length - 1))] as number).toFixed(1).padStart(6)
  const late = frames.filter((ms) => ms > 34).length
  console.log(
    `${what.padEnd(22)}${String(frames.length).padStart(5)} frames  p50${at(0.5)}  p99${at(0.99)}  longest${at(1)} ms  over 34 ms: ${late}`,
  )
}

await measure('looking on', () => sleep(100))
await tab.mouse.move(700, 780)
await measure('dragging', async (i) => {
  if (i % 120 === 0) {
    await tab.mouse.move(700, 780)
    await tab.mouse.down()
  }
  await tab.mouse.move(700 + 2 * (i % 120), 780 - (i % 120))
  if (i % 120 === 119) await tab.mouse.up()
})
await measure('from step to step', async (i) => {
  await tab.keyboard.press(i % 8 < 4 ? 'ArrowRight' : 'ArrowLeft')
  await sleep(100)
})
going = false
await load
await closeBrowser()
