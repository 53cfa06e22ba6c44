import { cardHeight, cardWidth, type Layout, type Point } from './layout.ts'
import type { View } from './streams.ts'

/** Room of the ground that what lies over it leaves to the graph. */
export interface Room {
  readonly width: number
  readonly height: number
  /** Taken by what stands at the top. */
  readonly top: number
  readonly bottom: number
}

/** On a narrow screen cards stay readable, and the graph goes on beyond the edge. */
const narrow = 600

/** The whole graph in the middle, as large as it fits, but not larger than life; one that does not fit, from its beginning. */
export function fitted(layout: Layout, { width, height, top, bottom }: Room): View {
  const free = Math.max(80, height - top - bottom)
  const least = width < narrow ? 0.7 : 0.25
  const scale = Math.max(least, Math.min(1.05, width / layout.width, free / layout.height))
  const x = Math.max(0, (width - layout.width * scale) / 2)
  const y = top + Math.max(0, (free - layout.height * scale) / 2)
  return { scale, x, y }
}

/** The same view, moved just so far that a card is in sight. */
export function revealed(view: View, { x, y }: Point, { width, height, top, bottom }: Room): View {
  const margin = 14
  const into = (from: number, size: number, least: number, most: number): number =>
    from < least || size > most - least ? least - from : Math.min(0, most - from - size)
  const { scale } = view
  const dx = into(view.x + x * scale, cardWidth * scale, margin, width - margin)
  const dy = into(view.y + y * scale, cardHeight * scale, top + margin, height - bottom - margin)
  return dx === 0 && dy === 0 ? view : { ...view, x: view.x + dx, y: view.y + dy }
}

/** Zooms, keeping a point of the screen where it is. */
export function zoomed({ x, y, scale }: View, factor: number, at: Point): View {
  const next = Math.min(2, Math.max(0.15, scale * factor))
  const by = next / scale
  return { scale: next, x: at.x - (at.x - x) * by, y: at.y - (at.y - y) * by }
}

/** The next card in a direction: near, and not far aside. */
export function neighbour(layout: Layout, from: number, key: string): number | undefined {
  const start = layout.nodes.get(from)
  if (start === undefined) return undefined
  const sideways = key === 'ArrowLeft' || key === 'ArrowRight'
  const sign = key === 'ArrowRight' || key === 'ArrowDown' ? 1 : -1
  let best: number | undefined
  let least = Number.POSITIVE_INFINITY
  for (const { id, x, y } of layout.nodes.values()) {
    const [along, aside] = sideways ? [x - start.x, y - start.y] : [y - start.y, x - start.x]
    if (along * sign <= 8) continue
    const cost = Math.abs(along) + 2 * Math.abs(aside)
    if (cost < least) {
      least = cost
      best = id
    }
  }
  return best
}
