import type { Route } from './route.ts'

/** The methods that a path takes; undefined where no route has it. */
export function methodsAt(routes: readonly Route[]): (path: string) => readonly string[] | undefined {
  const byUrl = new Map<string, string[]>()
  for (const { url, method } of routes) {
    const methods = method === 'GET' ? ['GET', 'HEAD'] : [method]
    byUrl.set(url, [...(byUrl.get(url) ?? []), ...methods])
  }
  const patterns = [...byUrl].map(([url, methods]) => ({
    pattern: new RegExp(`^${url.replace(/:\w+/g, '[^/]+')}$`),
    methods,
  }))
  return (path) => patterns.find(({ pattern }) => pattern.test(path))?.methods
}
