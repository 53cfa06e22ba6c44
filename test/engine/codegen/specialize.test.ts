import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { specialized } from '../../../src/engine/codegen/specialize.ts'

type Class = { readonly name: string; readonly prototype: object }

/** Names that a module has and a copied method would not. */
function namesIn(source: string): string[] {
  const names: string[] = []
  for (const [, clause = ''] of source.matchAll(/^import\s+(?!type\b)([^'"]*?)\s+from\s/gm))
    for (const part of clause.replace(/[{}]/g, ',').split(',')) {
      const name =
        part
          .trim()
          .split(/\s+as\s+/)
          .at(-1) ?? ''
      if (name !== '' && !name.startsWith('type ')) names.push(name)
    }
  for (const [, name = ''] of source.matchAll(
    /^(?:export\s+)?(?:async\s+)?(?:const|let|var|function\*?|(?:abstract\s+)?class)\s+(\w+)/gm,
  ))
    names.push(name)
  return names
}

/** Without what stands in comments and strings. */
const bare = (code: string): string =>
  code.replace(/\/\*[^]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"/g, ' ')

/** What keeps a method from being copied by its text; undefined: nothing does. */
function bound(method: string, names: readonly string[]): string | undefined {
  const code = bare(method)
  if (/\bsuper\b/.test(code)) return 'super'
  const own = code.match(/#\w+/)
  if (own !== null) return own[0]
  const locals = new Set(
    Array.from(code.matchAll(/\b(?:const|let|var)\s+(?:\{([^}]*)\}|(\w+))/g), ([, many, one]) => many ?? one)
      .join(',')
      .split(/\W+/),
  )
  const parameters = new Set((code.match(/^[^(]*\(([^)]*)\)/)?.[1] ?? '').split(/\W+/))
  return names.find(
    (name) =>
      !locals.has(name) && !parameters.has(name) && new RegExp(`(?<![.\\w$])${name}(?![\\w$]|\\s*:)`).test(code),
  )
}

describe('methods that are copied by their text', () => {
  it('use nothing of their module or class', async () => {
    let checked = 0
    for (const file of globSync('src/engine/operators/**/*.ts')) {
      const names = namesIn(readFileSync(file, 'utf8'))
      const module = (await import(pathToFileURL(file).href)) as Record<string, unknown>
      for (const one of Object.values(module)) {
        if (typeof one !== 'function' || one.prototype === undefined) continue
        const { name, prototype } = one as unknown as Class
        for (const method of specialized) {
          const found = Object.getOwnPropertyDescriptor(prototype, method)?.value as unknown
          if (typeof found !== 'function') continue
          const what = bound(found.toString(), names)
          assert.equal(what, undefined, `${file}: ${name}.${method} uses ${what}, which its copy would not have`)
          checked++
        }
      }
    }
    assert.ok(checked > 30, `${checked}`)
  })

  it('would be found out', () => {
    const source = `import { a, type B, c as d } from './x.ts'\nimport type { E } from './y.ts'\nconst top = 1\nexport function fn() {}\nclass Inner {}`
    const names = namesIn(source)
    assert.deepEqual(names, ['a', 'd', 'top', 'fn', 'Inner'])
    assert.equal(bound('process(k) { return this.a + k.top }', names), undefined)
    assert.equal(bound('process(top) { const { a } = this; return a + top // fn\n }', names), undefined)
    assert.equal(bound("process() { return { a: 1, b: 'fn' } }", names), undefined)
    assert.equal(bound('process(k) { return a(k) }', names), 'a')
    assert.equal(bound('process(k) { return k + top }', names), 'top')
    assert.equal(bound('process(k) { return new Inner(k) }', names), 'Inner')
    assert.equal(bound('process(k) { return this.#own + k }', names), '#own')
    assert.equal(bound('process(k) { return super.process(k) }', names), 'super')
  })
})
