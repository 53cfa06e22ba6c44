import { serdes, StreamsBuilder, watermarks } from '../../src/index.ts'
import { demand } from './demand.ts'
import { streamingEvent } from './events.ts'
import { minutes } from './minutes.ts'
import { quality } from './quality.ts'
import { sessions } from './sessions.ts'

const builder = new StreamsBuilder()

const events = builder.stream('hotstar-events', {
  key: serdes.string(),
  value: serdes.json(streamingEvent),
  keyOf: (event) => event.sessionId,
  timestamp: (event) => event.timestamp,
  watermark: watermarks.boundedOutOfOrderness('10s'),
  onInvalid: 'deadLetter',
  nullKeys: 'drop',
})

const viewings = sessions(events)
minutes(viewings)
demand(viewings)
quality(viewings)

export default builder.build()
