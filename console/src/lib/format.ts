/** Numbers and times, short enough to be read at a glance. */

const units = ['', 'k', 'M', 'G', 'T']

/** 1234 → "1.23k"; three digits that count. */
export function short(n: number): string {
  if (!Number.isFinite(n)) return '–'
  let unit = 0
  let value = Math.abs(n)
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  const digits = value >= 100 || (unit === 0 && Number.isInteger(value)) ? 0 : value >= 10 ? 1 : unit === 0 ? 1 : 2
  return `${n < 0 ? '−' : ''}${value.toFixed(digits)}${units[unit]}`
}

export const whole = (n: number): string => Math.round(n).toLocaleString('en-US')

export const rate = (n: number): string => (n > 0 && n < 0.05 ? '<0.1' : short(n))

export function percent(share: number): string {
  const value = share * 100
  return value > 0 && value < 1 ? '<1 %' : `${Math.round(value)} %`
}

/** 0.42 → "0.42 ms", 71000 → "1 m 11 s". */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return '–'
  if (ms < 0.995) return `${ms.toFixed(2)} ms`
  if (ms < 9.95) return `${ms.toFixed(1)} ms`
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`
  // whole before it is split: 119.6 s are 2 m
  const s = Math.round(ms / 1000)
  if (s < 60) return `${s} s`
  if (s < 3600) return `${Math.floor(s / 60)} m ${s % 60} s`
  const m = Math.round(s / 60)
  if (m < 1440) return `${Math.floor(m / 60)} h ${m % 60} m`
  const h = Math.round(m / 60)
  return `${Math.floor(h / 24)} d ${h % 24} h`
}

export function bytes(n: number): string {
  return n < 1e6 ? `${Math.round(n / 1e3)} kB` : n < 1e9 ? `${(n / 1e6).toFixed(0)} MB` : `${(n / 1e9).toFixed(2)} GB`
}

/** As ISO 8601 in UTC, without what says nothing. */
export function instant(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return '–'
  const at = new Date(ms)
  if (Number.isNaN(at.getTime())) return String(ms)
  return at
    .toISOString()
    .replace('T', ' ')
    .replace(/\.000Z$/, 'Z')
    .replace('Z', ' Z')
}

export const clock = (ms: number): string => new Date(ms).toLocaleTimeString('en-GB')

/** How far event time is behind: of live data against the clock, of old data nothing that would mean anything. */
export function behind(watermark: number | null, now: number): string | undefined {
  if (watermark === null) return undefined
  const ms = now - watermark
  return ms > 3 * 86_400_000 ? undefined : duration(Math.max(0, ms))
}
