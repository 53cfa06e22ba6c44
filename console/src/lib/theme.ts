import { Store } from './store.ts'

export type Theme = 'dark' | 'light'

const name = 'dhaara-theme'
const system = matchMedia('(prefers-color-scheme: light)')
const chosen = (): Theme | null => localStorage.getItem(name) as Theme | null
const now = (): Theme => chosen() ?? (system.matches ? 'light' : 'dark')

export const theme = new Store<Theme>(now())

const show = (): void => {
  document.documentElement.dataset['theme'] = theme.value
}
show()
theme.listen(show)
system.addEventListener('change', () => theme.set(now()))

export function toggleTheme(): void {
  const next = theme.value === 'dark' ? 'light' : 'dark'
  localStorage.setItem(name, next)
  theme.set(next)
}

/** A colour of the style sheet, for what is drawn on canvas. */
export const colour = (variable: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(variable).trim()
