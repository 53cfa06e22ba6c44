const indian = new Intl.NumberFormat('en-IN')
const clocks = new Intl.DateTimeFormat('en-GB', { timeZone: 'Asia/Kolkata', hour: '2-digit', minute: '2-digit' })

/** 54290000 → 5,42,90,000 */
export const grouped = (n: number): string => indian.format(Math.round(n))

/** 54290000 → 5.43 cr: what is said in a studio. */
export function spoken(n: number): string {
  if (n >= 1e7) return `${(n / 1e7).toFixed(2)} cr`
  return n >= 1e5 ? `${(n / 1e5).toFixed(1)} lakh` : grouped(n)
}

/** In India, 23:05. */
export const clock = (time: number): string => clocks.format(time)

export const titled = (name: string): string => name.replaceAll('_', ' ').replace(/^./, (first) => first.toUpperCase())
