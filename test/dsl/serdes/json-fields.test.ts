import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { JsonFieldsSerde, type JsonFields } from '../../../src/dsl/serdes/json-fields.ts'
import { serdes } from '../../../src/index.ts'

const names = ['a', 'b', 'ab', 'id', 'name', 'total', 'कुल', '__proto__', 'toString', 'a b']
const types = ['string', 'number', 'boolean', 'json', 'string?', 'number?', 'boolean?', 'json?'] as const
const { fields: fieldsArb } = fc.letrec<{ fields: JsonFields; type: JsonFields[string] }>((tie) => ({
  fields: fc.dictionary(fc.constantFrom(...names), tie('type'), { minKeys: 1, maxKeys: 5 }),
  type: fc.oneof(
    { maxDepth: 2 },
    { weight: 3, arbitrary: fc.constantFrom(...types) },
    { weight: 1, arbitrary: tie('fields') },
    { weight: 1, arbitrary: fc.tuple(tie('fields'), fc.constant('?' as const)) },
  ),
}))

const leaf = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.string({ unit: 'grapheme', maxLength: 4 }),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
)
const value = fc.oneof({ weight: 6, arbitrary: leaf }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) })
const space = fc.constantFrom('', '', '', ' ', '\n', '\t ', '\u00a0')

/** An object as text, with objects in it, spaces, repeated names and numbers in unusual spellings. */
const { text } = fc.letrec<{ text: string }>((tie) => ({
  text: fc
    .tuple(
      fc.array(
        fc.tuple(
          fc.constantFrom(...names),
          fc.oneof(
            { maxDepth: 3 },
            value.map((v) => JSON.stringify(v)),
            tie('text'),
            fc.constantFrom(
              '-0',
              '1e3',
              '1E-2',
              '0.5',
              '01',
              '1.',
              '-',
              '.5',
              '12345678901234567890',
              '"\\u0041"',
              '"\\ud83d x \\\\ \\"é"',
              '"\\u00g1"',
              '"\\x"',
              '"\\u12',
              '"\t"',
              'nul',
              '1e999',
            ),
          ),
          space,
        ),
        { maxLength: 7 },
      ),
      space,
    )
    .map(
      ([members, s]) =>
        `${s}{${members.map(([k, v, t]) => `${t}${JSON.stringify(k)}${s}:${t}${v}${s}`).join(',')}}${s}`,
    ),
}))

/** Now and then a byte is another one. */
const bytes = fc
  .tuple(fc.oneof(text, fc.json()), fc.option(fc.tuple(fc.nat(), fc.nat(255)), { freq: 3 }))
  .map(([json, change]) => {
    const b = Buffer.from(json)
    if (change !== null && b.length > 0) b[change[0] % b.length] = change[1]
    return b
  })

function outcome(read: () => unknown): unknown {
  try {
    return { value: read() }
  } catch (error) {
    const { code, message } = error as { code: string; message: string }
    return { code, message }
  }
}

describe('JSON of declared fields', () => {
  it('is what JSON.parse makes of it, or the same error, whatever the bytes', () => {
    fc.assert(
      fc.property(fieldsArb, bytes, fc.nat(3), (fields, b, before) => {
        const scanning = new JsonFieldsSerde(fields)
        const parsing = new JsonFieldsSerde(fields, { scan: false })
        // Neighbours in the same buffer must not be looked at.
        const buf = Buffer.concat([Buffer.from('{"a'.slice(0, before)), b, Buffer.from('":1}')])
        const end = before + b.length
        assert.deepEqual(
          outcome(() => scanning.read(buf, before, end, 't')),
          outcome(() => parsing.read(buf, before, end, 't')),
        )
      }),
      { numRuns: 5000 },
    )
  })

  it('reads escapes as JSON.parse does, in short strings and long ones', () => {
    const serde = serdes.json({ fields: { s: 'string' } })
    const part = fc.oneof(
      fc.constantFrom('\\"', '\\\\', '\\/', '\\b', '\\f', '\\n', '\\r', '\\t', '\\u0041', 'é', 'x'.repeat(1020)),
      fc.constantFrom('a', 'b', 'n', 'u', '/'),
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const json = `{"s":"${parts.join('')}"}`
        assert.deepEqual(serde.deserialize(Buffer.from(json), 't'), JSON.parse(json))
      }),
      { numRuns: 2000 },
    )
  })

  it('has the declared fields alone, with their types', () => {
    const serde = serdes.json({ fields: { city: 'string', total: 'number', note: 'string?', tags: 'json?' } })
    const read = (text: string) => serde.deserialize(Buffer.from(text), 'orders')
    const row: { readonly city: string; readonly total: number; readonly note: string | null } = read(
      '{"id":[{}],"city":"पुणे","total":12.5,"tags":["a"]}',
    )
    assert.deepEqual(row, { city: 'पुणे', total: 12.5, note: null, tags: ['a'] })
    assert.deepEqual(serde.deserialize(serde.serialize(row as never, 'orders'), 'orders'), row)
  })

  it('reads the declared fields of objects, too', () => {
    const city = { city: 'string' } as const
    const serde = serdes.json({ fields: { home: city, work: [city, '?'], at: { place: { x: 'number' } } } })
    const read = (text: string) => serde.deserialize(Buffer.from(text), 'people')
    const person: {
      readonly home: { readonly city: string }
      readonly work: { readonly city: string } | null
      readonly at: { readonly place: { readonly x: number } }
    } = read('{"at":{"place":{"y":0,"x":1}},"home":{"zip":[1],"city":"Pune"}}')
    assert.deepEqual(person, { home: { city: 'Pune' }, work: null, at: { place: { x: 1 } } })
    const again = '{"home":{"city":"Pune"},"work":{"city":"x"},"at":{"place":{"x":1}},"work":null}'
    assert.equal(read(again).work, null)
    const refused = (text: string, message: string) =>
      assert.throws(() => read(text), { code: 'DHAARA_SCHEMA', message })
    refused('{"home":{}}', "Field 'home.city' of a value of people is missing; expected a string")
    refused('{"home":[]}', "Field 'home' of a value of people is an array; expected an object")
    refused('{}', "Field 'home' of a value of people is missing; expected an object")
    const declared = (fields: unknown) => () => serdes.json({ fields: fields as { home: 'json' } })
    assert.throws(declared({ home: {} }), { code: 'DHAARA_OPTION', message: /no field of home/ })
    assert.throws(declared({ home: [{ city: 'text' }, '?'] }), { code: 'DHAARA_OPTION', message: /home\.city: "text"/ })
    assert.throws(declared({ home: [{ city: 'string' }] }), { code: 'DHAARA_OPTION' })
  })

  it('says which field is not what was declared', () => {
    const serde = serdes.json({ fields: { city: 'string' } })
    const refused = (text: string, message: string) =>
      assert.throws(() => serde.deserialize(Buffer.from(text), 'orders'), { code: 'DHAARA_SCHEMA', message })
    refused('{"city":5}', "Field 'city' of a value of orders is a number; expected a string")
    refused('{}', "Field 'city' of a value of orders is missing; expected a string")
    refused('[1]', 'A value of orders is an array; expected an object')
    assert.throws(() => serdes.json({ fields: { city: 'text' as never } }), { code: 'DHAARA_OPTION' })
    assert.throws(() => serdes.json({ fields: {} }), { code: 'DHAARA_OPTION' })
  })
})
