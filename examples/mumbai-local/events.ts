import { isObject, schema } from '../lib/topics.ts'

/** A passenger's card at a gate. Key: the passenger. */
export interface Tap {
  readonly tapId: string
  readonly passengerId: string
  readonly station: string
  readonly tap: 'entry' | 'exit'
  /** Epoch milliseconds. */
  readonly timestamp: number
}

/** A train's arrival. Key: the route. Trains come in the order of `arrivedAt`; their event time is `scheduledAt`. */
export interface Train {
  readonly trainId: string
  readonly route: string
  readonly scheduledAt: number
  readonly arrivedAt: number
}

export const tapSchema = schema(isTap, 'a tap: text fields, tap = entry or exit, an integer timestamp')
export const trainSchema = schema(isTrain, 'a train: text fields, integers scheduledAt and arrivedAt')

function isTap(tap: unknown): tap is Tap {
  return (
    isObject(tap) &&
    typeof tap.tapId === 'string' &&
    typeof tap.passengerId === 'string' &&
    typeof tap.station === 'string' &&
    (tap.tap === 'entry' || tap.tap === 'exit') &&
    Number.isSafeInteger(tap.timestamp)
  )
}

function isTrain(train: unknown): train is Train {
  return (
    isObject(train) &&
    typeof train.trainId === 'string' &&
    typeof train.route === 'string' &&
    Number.isSafeInteger(train.scheduledAt) &&
    Number.isSafeInteger(train.arrivedAt)
  )
}
