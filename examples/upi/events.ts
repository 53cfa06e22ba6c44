/** A payment over UPI, as the switch tells of it: one line of JSON. */
export interface Payment {
  readonly id: string
  /** 'name@bank'. */
  readonly payer: string
  readonly payee: string
  /** In rupees, two decimals. */
  readonly rupees: number
  /** Where the payer's phone is. */
  readonly city: City
  /** Epoch milliseconds. */
  readonly at: number
}

export const cities = ['Mumbai', 'Delhi', 'Bengaluru', 'Kolkata', 'Chennai'] as const
export type City = (typeof cities)[number]

export type Rule = 'velocity' | 'travel' | 'newPayee'

/** A row of alerts.csv. */
export interface Alert {
  readonly rule: Rule
  readonly payer: string
  /** The payment that raised it; of `velocity` none. */
  readonly payment: string
  readonly at: Date
  readonly details: string
}
