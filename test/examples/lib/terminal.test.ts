import assert from 'node:assert/strict'
import { bar, type Column, grouped, money, type Style, styleOf, table } from '../../../examples/lib/terminal.ts'

const plain: Style = { width: 40, colour: false }

describe('examples/lib/terminal', () => {
  it('aligns columns', () => {
    const columns: Column[] = [{ title: 'city' }, { title: 'orders', align: 'right' }]
    const rows = [
      ['Mumbai', 12],
      ['Pune', { text: '7', colour: 'red' as const }],
    ]
    assert.equal(table('Cities', columns, rows, plain), 'Cities\ncity    orders\nMumbai      12\nPune         7\n')
  })

  it('says when there is nothing', () => {
    assert.equal(table('Cities', [{ title: 'city' }], [], plain), 'Cities\nnone\n')
  })

  it('cuts the widest column to the width', () => {
    const columns: Column[] = [{ title: 'a' }, { title: 'b' }]
    const text = table('T', columns, [['x'.repeat(50), 'yes']], { width: 20, colour: false })
    assert.equal(text, `T\na                b\n${'x'.repeat(14)}…  yes\n`)
  })

  it('gives the rest of the width to the bar', () => {
    const columns: Column[] = [{ title: 'name' }, { title: '', bar: true }]
    const [, , half, whole] = table(
      'T',
      columns,
      [
        ['a', 0.5],
        ['b', 1],
      ],
      { width: 26, colour: false },
    ).split('\n')
    assert.equal(half, `a     ${'█'.repeat(10)}`)
    assert.equal(whole, `b     ${'█'.repeat(20)}`)
  })

  it('draws bars in eighths', () => {
    assert.equal(bar(0, 2), '  ')
    assert.equal(bar(1 / 16, 2), '▏ ')
    assert.equal(bar(15 / 16, 2), '█▉')
    assert.equal(bar(2, 2), '██')
  })

  it('groups digits the Indian way', () => {
    assert.deepEqual([0, 999, 1000, 123_456, 12_345_678, -1234].map(grouped), [
      '0',
      '999',
      '1,000',
      '1,23,456',
      '1,23,45,678',
      '-1,234',
    ])
    assert.equal(money(12_345_699), '₹1,23,456')
  })

  it('colours on a terminal only', () => {
    assert.deepEqual(styleOf({ isTTY: true, columns: 72 }).width, 72)
    assert.deepEqual(styleOf({ columns: 72 }), { width: 100, colour: false })
    const cell = [[{ text: 'x', colour: 'red' as const }]]
    assert.match(table('T', [{ title: 'a' }], cell, { width: 9, colour: true }), /\u001b\[31mx\u001b\[0m/)
  })
})
