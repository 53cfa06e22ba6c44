import { type Browser, chromium, type Page } from 'playwright-core'
import { chromiumArguments, findChromium } from '../../scripts/console/chromium.ts'

let browser: Browser | undefined

/** A page of its own, and what it asked for that was not the app's. */
export async function openPage(
  url: string,
  options: { readonly theme?: 'dark' | 'light'; readonly width?: number; readonly height?: number } = {},
): Promise<{ page: Page; strayed: string[]; failed: string[] }> {
  const { theme = 'dark', width = 1440, height = 900 } = options
  browser ??= await chromium.launch({ executablePath: findChromium() as string, args: [...chromiumArguments] })
  const context = await browser.newContext({ colorScheme: theme, viewport: { width, height } })
  const page = await context.newPage()
  const strayed: string[] = []
  const failed: string[] = []
  page.on('request', (request) => {
    const target = request.url()
    if (!target.startsWith(url) && !target.startsWith('data:')) strayed.push(target)
  })
  page.on('pageerror', (error) => void failed.push(String(error.stack)))
  page.on('console', (message) => {
    if (message.type() === 'error') failed.push(message.text())
  })
  await page.goto(url)
  return { page, strayed, failed }
}

export async function closeBrowser(): Promise<void> {
  await browser?.close()
  browser = undefined
}
