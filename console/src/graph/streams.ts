import { colour, theme } from '../lib/theme.ts'
import type { PlacedEdge, Point } from './layout.ts'

/** How an edge looks now. */
export interface Stream {
  /** Records a second. */
  readonly rate: number
  /** Those behind it take no more. */
  readonly blocked: boolean
  readonly faint: boolean
}

export interface View extends Point {
  readonly scale: number
}

interface Drawn {
  readonly path: Path2D
  /** Points at equal distances along it. */
  readonly way: readonly Point[]
  readonly length: number
  offset: number
}

const stepLength = 4

/**
 * Draws the edges on a canvas: a ribbon whose width is the logarithm of its rate, and drops that drift along it, faster where
 * more flows. A hundred of them cost a millisecond a frame; nothing moves for whoever asked for less motion.
 */
export class Streams {
  private readonly canvas: HTMLCanvasElement
  private readonly context: CanvasRenderingContext2D
  private drawn: readonly Drawn[] = []
  private edges: readonly PlacedEdge[] = []
  private streams: readonly Stream[] = []
  private view: View = { x: 0, y: 0, scale: 1 }
  private frame = 0
  private pause: ReturnType<typeof setTimeout> | undefined
  private at = 0
  private paint = paints()
  private readonly forget = theme.listen(() => (this.paint = paints()))
  private readonly still = matchMedia('(prefers-reduced-motion: reduce)')

  constructor(canvas: HTMLCanvasElement) {
    this.canvas = canvas
    this.context = canvas.getContext('2d') as CanvasRenderingContext2D
    const tick = (now: number): void => {
      const seconds = Math.min(0.1, (now - this.at) / 1000)
      this.at = now
      this.draw(this.still.matches ? 0 : seconds)
      // thirty pictures a second are plenty for a drift; between them the page has no frame to make
      this.pause = setTimeout(() => (this.frame = requestAnimationFrame(tick)), 20)
    }
    this.frame = requestAnimationFrame(tick)
  }

  setEdges(edges: readonly PlacedEdge[]): void {
    if (edges === this.edges) return
    this.edges = edges
    this.drawn = edges.map(({ curve }) => ({ ...trace(curve), offset: Math.random() * 60 }))
  }

  setStreams(streams: readonly Stream[]): void {
    this.streams = streams
  }

  setView(view: View): void {
    this.view = view
  }

  stop(): void {
    cancelAnimationFrame(this.frame)
    clearTimeout(this.pause)
    this.forget()
  }

  private draw(seconds: number): void {
    const { canvas, context, view } = this
    const ratio = devicePixelRatio
    const { clientWidth, clientHeight } = canvas
    if (canvas.width !== Math.round(clientWidth * ratio)) canvas.width = Math.round(clientWidth * ratio)
    if (canvas.height !== Math.round(clientHeight * ratio)) canvas.height = Math.round(clientHeight * ratio)
    context.setTransform(1, 0, 0, 1, 0, 0)
    context.clearRect(0, 0, canvas.width, canvas.height)
    context.setTransform(ratio * view.scale, 0, 0, ratio * view.scale, ratio * view.x, ratio * view.y)
    for (const [i, edge] of this.drawn.entries()) this.drawEdge(edge, this.edges[i] as PlacedEdge, i, seconds)
  }

  private drawEdge(drawn: Drawn, { edge }: PlacedEdge, i: number, seconds: number): void {
    const { context, paint } = this
    const { rate = 0, blocked = false, faint = false } = this.streams[i] ?? {}
    const width = rate <= 0 ? 1 : 1.2 + Math.log10(1 + rate) * 0.9
    context.globalAlpha = faint ? 0.25 : 1
    context.strokeStyle = blocked ? paint.blocked : paint.bed
    context.lineWidth = width
    context.setLineDash(edge.shuffle ? [7, 4] : [])
    context.stroke(drawn.path)
    if (rate <= 0 || faint) return
    const gap = 44
    drawn.offset = (drawn.offset + seconds * (26 + Math.log10(1 + rate) * 22)) % gap
    context.fillStyle = blocked ? paint.blocked : paint.drop
    const size = width / 2 + 0.7
    context.beginPath()
    for (let at = drawn.offset; at < drawn.length; at += gap) {
      const point = drawn.way[Math.floor(at / stepLength)]
      if (point === undefined) continue
      context.moveTo(point.x + size, point.y)
      context.arc(point.x, point.y, size, 0, 7)
    }
    context.fill()
  }
}

const paints = () => ({ bed: colour('--bed'), drop: colour('--drop'), blocked: colour('--blocked') })

function trace(curve: readonly Point[]): { path: Path2D; way: Point[]; length: number } {
  const path = new Path2D()
  const first = curve[0] as Point
  path.moveTo(first.x, first.y)
  const fine: Point[] = [first]
  for (let i = 1; i + 2 < curve.length; i += 3) {
    const [a, b, c, d] = [curve[i - 1], curve[i], curve[i + 1], curve[i + 2]] as [Point, Point, Point, Point]
    path.bezierCurveTo(b.x, b.y, c.x, c.y, d.x, d.y)
    for (let k = 1; k <= 60; k++) fine.push(bezier(a, b, c, d, k / 60))
  }
  const way: Point[] = [first]
  let length = 0
  let next = stepLength
  for (let k = 1; k < fine.length; k++) {
    const [from, to] = [fine[k - 1], fine[k]] as [Point, Point]
    length += Math.hypot(to.x - from.x, to.y - from.y)
    while (length >= next) {
      way.push(to)
      next += stepLength
    }
  }
  return { path, way, length }
}

function bezier(a: Point, b: Point, c: Point, d: Point, t: number): Point {
  const u = 1 - t
  const [wa, wb, wc, wd] = [u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t]
  return { x: wa * a.x + wb * b.x + wc * c.x + wd * d.x, y: wa * a.y + wb * b.y + wc * c.y + wd * d.y }
}
