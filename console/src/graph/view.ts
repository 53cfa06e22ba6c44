import type { Layout, Point } from './layout.ts'
import type { View } from './streams.ts'

/** The whole graph in the middle, as large as it fits, but not larger than life. */
export function fitted(layout: Layout, width: number, height: number): View {
  const scale = Math.max(0.25, Math.min(1.05, width / layout.width, height / layout.height))
  const x = (width - layout.width * scale) / 2
  const y = (height - layout.height * scale) / 2
  return { scale, x, y }
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
