import assert from 'node:assert/strict'
import { generate as orders } from '../../examples/flipkart/generator.ts'
import { report as flipkartReport } from '../../examples/flipkart/report.ts'
import { generateTaps, generateTrains } from '../../examples/mumbai-local/generator.ts'
import { report as mumbaiReport } from '../../examples/mumbai-local/report.ts'
import { generate as trading } from '../../examples/nse/generator.ts'
import { report as nseReport, signalLine } from '../../examples/nse/report.ts'
import { flipkartModel } from './flipkart-model.ts'
import { mumbaiLocalModel } from './mumbai-local-model.ts'
import { nseModel } from './nse-model.ts'

const style = { width: 90, colour: false }

describe('examples: reports', () => {
  const sale = flipkartModel([...orders({ count: 5000 })])
  const day = mumbaiLocalModel([...generateTaps({ count: 5000 })], [...generateTrains({ count: 5000 })])
  const session = nseModel([...trading({ count: 10_000 })])

  it('keep to the width', () => {
    for (const text of [flipkartReport(sale, style), mumbaiReport(day, style), nseReport(session, style)]) {
      for (const line of text.split('\n')) assert.ok(line.length <= 90, line)
    }
  })

  it('show the sale', () => {
    const text = flipkartReport(sale, style)
    for (const title of ['Top customers', 'Top sellers', 'Cities', 'Alerts', 'Highest fraud scores']) {
      assert.ok(text.includes(title), title)
    }
    const [best] = (sale['flipkart-customers'] ?? []).toSorted(
      (a, b) => (b.value as { spentPaise: number }).spentPaise - (a.value as { spentPaise: number }).spentPaise,
    )
    assert.match(text, new RegExp(`Top customers\n.*\n${best?.key as string} `))
  })

  it('rank ties by name', () => {
    const value = { spentPaise: 100, orders: 1, favouriteCategory: 'Toys', vip: false }
    const outputs = { 'flipkart-customers': ['b', 'a', 'c'].map((key) => ({ key, value })) }
    assert.match(flipkartReport(outputs, style), /\na .*\nb .*\nc .*\n/)
  })

  it('show the day', () => {
    const text = mumbaiReport(day, style)
    assert.match(text, /2024-07-01 {2}20:00-21:00 .*BUSY/)
    assert.match(text, /The board of CST-Kalyan/)
    assert.ok(text.includes(`Late taps: ${day['local-late']?.length}`))
  })

  it('show the session', () => {
    const text = nseReport(session, style)
    assert.ok(text.includes(`Late events: ${session['nse-late']?.length}`))
    const [best] = (session['nse-symbols'] ?? []).toSorted(
      (a, b) => (b.value as { total: number }).total - (a.value as { total: number }).total,
    )
    assert.match(text, new RegExp(`Matches by symbol\n.*\n${best?.key as string} `))
    const [first] = session['nse-risk'] ?? []
    assert.match(signalLine('nse-risk', first ?? assert.fail(), style), /^\d\d:\d\d {2}risk .* bear_signal .* %/)
  })

  it('say so when there is nothing to show', () => {
    assert.match(flipkartReport({}, style), /Top customers\nnone/)
    assert.match(mumbaiReport({}, style), /The day\nnone/)
    assert.match(nseReport({}, style), /Matches by symbol\nnone/)
  })
})
