/** When the evening begins. */
export const START = Date.UTC(2024, 4, 26, 13)

/** The match that is played. */
export const FINAL = 'ipl_csk_vs_mi_final_2024'

/** Best first. */
export const QUALITIES = ['4K', '1080p', '720p', '480p', '360p'] as const

/** The input is a sample: a session stands for so many viewers. */
export const VIEWERS = 10_000

/** The evening, phase by phase: how long it lasts, and how busy it is. */
export const PHASES = [
  { name: 'pre_match', seconds: 1800, weight: 0.3 },
  { name: 'toss', seconds: 600, weight: 0.8 },
  { name: 'first_innings', seconds: 7200, weight: 1 },
  { name: 'break', seconds: 1200, weight: 0.6 },
  { name: 'second_innings', seconds: 7200, weight: 1.2 },
  { name: 'super_over', seconds: 600, weight: 1.5 },
] as const

/** The phase that a moment is in. */
export function phaseAt(time: number): string {
  let end = START
  for (const { name, seconds } of PHASES) {
    end += seconds * 1000
    if (time < end) return name
  }
  return 'over'
}
