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
