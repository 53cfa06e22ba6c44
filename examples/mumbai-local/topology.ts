import { StreamsBuilder, serdes, watermarks } from '../../src/index.ts'
import { board } from './board.ts'
import { tapSchema, trainSchema } from './events.ts'
import { journeys } from './journeys.ts'
import { passengers } from './passengers.ts'
import { trainHours } from './train-hours.ts'

const builder = new StreamsBuilder()

const taps = builder.stream('local-taps', {
  key: serdes.string(),
  value: serdes.json(tapSchema),
  keyOf: (tap) => tap.passengerId,
  timestamp: (tap) => tap.timestamp,
  watermark: watermarks.boundedOutOfOrderness('2m'),
  onInvalid: 'deadLetter',
  nullKeys: 'drop',
})
const trains = builder.stream('local-trains', {
  key: serdes.string(),
  value: serdes.json(trainSchema),
  keyOf: (train) => train.route,
  timestamp: (train) => train.scheduledAt,
  watermark: watermarks.boundedOutOfOrderness('6m'),
  onInvalid: 'deadLetter',
  nullKeys: 'drop',
})

// Nothing joins the two: each has a clock of its own.
passengers(taps)
journeys(taps)
board(trains)
trainHours(trains)

export default builder.build()
