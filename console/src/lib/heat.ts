/** Busy share → colour: cool until a tenth of a core, amber at a third, hot from two thirds on. */
export function heat(share: number): string {
  const x = Math.min(1, Math.max(0, share))
  if (x < 0.1) return `color-mix(in oklch, var(--cool) ${Math.round(100 - x * 300)}%, var(--warm))`
  if (x < 0.34) return `color-mix(in oklch, var(--warm) ${Math.round(30 + ((x - 0.1) / 0.24) * 70)}%, var(--cool))`
  return `color-mix(in oklch, var(--hot) ${Math.round(Math.min(1, (x - 0.34) / 0.33) * 100)}%, var(--warm))`
}
