import { Store } from './store.ts'

export const pages = ['flow', 'time', 'stores', 'topics', 'letters', 'tasks', 'errors'] as const
export type Page = (typeof pages)[number]

/** Page and what is chosen on it: `#/stores/spent`. */
export interface Route {
  readonly page: Page
  readonly chosen: string | undefined
}

const read = (): Route => {
  const [, name = '', ...rest] = location.hash.split('/')
  const page = pages.find((one) => one === name) ?? 'flow'
  const chosen = rest.join('/')
  return { page, chosen: chosen === '' ? undefined : decodeURIComponent(chosen) }
}

export const route = new Store<Route>(read())
addEventListener('hashchange', () => route.set(read()))

export const href = (page: Page, chosen?: string): string =>
  chosen === undefined ? `#/${page}` : `#/${page}/${encodeURIComponent(chosen)}`

export function go(page: Page, chosen?: string): void {
  location.hash = href(page, chosen)
}
