/** Half past five before Greenwich, and no daylight saving. */
const OFFSET = 19_800_000
const HOUR = 3_600_000

/** 0 to 23, on the clocks of India. */
export function hourInIndia(timestamp: number): number {
  return Math.floor((timestamp + OFFSET) / HOUR) % 24
}

/** Start of the hour in India that holds this time, in epoch milliseconds. */
export function startOfHourInIndia(timestamp: number): number {
  return Math.floor((timestamp + OFFSET) / HOUR) * HOUR - OFFSET
}

/** 'YYYY-MM-DD', on the calendars of India. */
export function dateInIndia(timestamp: number): string {
  return new Date(timestamp + OFFSET).toISOString().slice(0, 10)
}

/** 'HH:MM', on the clocks of India. */
export function clockInIndia(timestamp: number): string {
  return new Date(timestamp + OFFSET).toISOString().slice(11, 16)
}

/** In paise. */
export function rupees(amount: number): number {
  return 100 * amount
}
