import { AfterMatchSkip, serdes, StreamsBuilder, watermarks } from '../../src/index.ts'
import { json } from '../lib/topics.ts'
import { isTrade, stockEvent } from './events.ts'
import { bearSignal, bullRun, insiderTrading, marketManipulation, momentumTrading } from './patterns.ts'
import { addSignal, newSymbol, RECIPIENTS, signal } from './signals.ts'

const skip = AfterMatchSkip.pastLastEvent()
const builder = new StreamsBuilder()

const events = builder.stream('nse-events', {
  key: serdes.string(),
  value: serdes.json(stockEvent),
  keyOf: (event) => event.symbol,
  timestamp: (event) => event.timestamp,
  watermark: watermarks.boundedOutOfOrderness('5s'),
  onInvalid: 'deadLetter',
  nullKeys: 'drop',
})

// Three patterns over one buffer: every event of a share is held once and looked at once.
const pairs = events
  .match(
    { bull_run: bullRun, bear_signal: bearSignal, market_manipulation: marketManipulation },
    { skip, name: 'pairs' },
  )
  .late((late) =>
    late.map(({ eventId, symbol, timestamp }) => [eventId, { eventId, symbol, timestamp }]).to('nse-late', json),
  )
  .select(({ pattern, match }, symbol) => signal(pattern, symbol, Object.values(match).flat()))

// Every spike may have news of its own: nothing is skipped.
const insiders = events
  .match(insiderTrading, { name: 'insiders' })
  .select(({ spike, news }, symbol) => signal('insider_trading', symbol, [...spike, ...news]))

const momentum = events
  .filter(isTrade)
  .match(momentumTrading, { skip, name: 'momentum' })
  .select(({ start, rising }, symbol) => signal('momentum_trading', symbol, [...start, ...rising]))

const signals = pairs.merge(insiders).merge(momentum)
signals.to(({ pattern }) => RECIPIENTS[pattern], json)
signals.groupByKey().aggregate(newSymbol, addSignal, { store: 'symbols' }).toStream().to('nse-symbols', json)

export default builder.build()
