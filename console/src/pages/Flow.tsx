import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { layOut } from '../graph/layout.ts'
import { NodeCard } from '../graph/NodeCard.tsx'
import { simplify } from '../graph/simplify.ts'
import { StepPanel } from '../graph/StepPanel.tsx'
import { type Stream, Streams, type View } from '../graph/streams.ts'
import { titlesOf } from '../graph/titles.ts'
import { fitted, neighbour, revealed, type Room, zoomed } from '../graph/view.ts'
import { useKeys } from '../lib/keys.ts'
import { connection, type Live } from '../lib/live.ts'
import { go } from '../lib/route.ts'
import { useStore } from '../lib/store.ts'
import { away, findings } from '../lib/verdict.ts'
import { Findings } from '../ui/Findings.tsx'

/** The topology as it flows. */
export function Flow({ live, chosen }: { live: Live; chosen: string | undefined }) {
  const { graph, rates, tick } = live
  const [all, setAll] = useState(false)
  const flow = useMemo(() => simplify(graph, all), [graph, all])
  const titles = useMemo(() => titlesOf(graph.nodes), [graph])
  const layout = useMemo(() => layOut(flow), [flow])
  const [view, setView] = useState<View>()
  const flat = useRef<HTMLDivElement>(null)
  const ground = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const streams = useRef<Streams>(undefined)
  const node = graph.nodes.find(({ name }) => name === chosen)

  /** Somebody has moved the graph: it is left there. */
  const moved = useRef(false)

  const room = (): Room => {
    const { clientWidth: width = 0, clientHeight: height = 0 } = ground.current ?? {}
    const heightOf = (part: string): number => ground.current?.querySelector<HTMLElement>(part)?.offsetHeight ?? 0
    // on a narrow screen the panel lies over the ground
    const panel = flat.current?.querySelector<HTMLElement>('.panel')
    const covered = panel?.offsetLeft === 0 ? height - panel.offsetTop : 0
    return { width, height, top: heightOf('.findings') + 8, bottom: Math.max(heightOf('.legend'), covered) }
  }
  const fit = (): void => {
    const free = room()
    moved.current = false
    if (free.width > 0) setView(fitted(layout, free))
  }
  const reveal = (id: number | undefined): void => {
    const card = id === undefined ? undefined : layout.nodes.get(id)
    if (card !== undefined) setView((now) => now && revealed(now, card, room()))
  }
  useEffect(() => {
    const drawing = new Streams(canvas.current as HTMLCanvasElement)
    streams.current = drawing
    return () => drawing.stop()
  }, [])
  useEffect(() => {
    streams.current?.setEdges(layout.edges)
    fit()
    const resized = (): void => {
      if (!moved.current) fit()
    }
    addEventListener('resize', resized)
    return () => removeEventListener('resize', resized)
  }, [layout])
  // a panel that opens takes room, but the graph stays where it is
  useEffect(() => reveal(node?.id), [node?.id, layout])
  useEffect(() => {
    if (view !== undefined) streams.current?.setView(view)
  }, [view])

  const blockedSubs = useMemo(
    () => new Set(rates.tasks.filter(({ blocked }) => blocked > 0.1).map(({ sub }) => sub)),
    [rates],
  )
  useEffect(() => {
    const drawn = layout.edges.map(({ edge }): Stream => {
      const step = rates.steps.get(edge.counted)
      const faint = node !== undefined && edge.from !== node.id && edge.to !== node.id
      const from = graph.nodes.find(({ id }) => id === edge.from)
      return { rate: step?.out ?? 0, blocked: edge.shuffle && from !== undefined && blockedSubs.has(from.sub), faint }
    })
    streams.current?.setStreams(drawn)
  }, [live, layout, chosen])

  // the same function for as long as the graph is the same, so that a card has nothing new
  const shown = useRef(chosen)
  shown.current = chosen
  const choose = useCallback(
    (id: number): void => {
      const next = graph.nodes.find((one) => one.id === id)
      go('flow', next === undefined || next.name === shown.current ? undefined : next.name)
    },
    [graph],
  )
  const step = (event: KeyboardEvent): void => {
    const next = node === undefined ? flow.nodes[0]?.id : neighbour(layout, node.id, event.key)
    if (next === undefined) return
    go('flow', graph.nodes.find(({ id }) => id === next)?.name)
  }
  useKeys({
    Escape: () => go('flow'),
    f: fit,
    a: () => setAll(!all),
    '+': () => zoomBy(1.2),
    '-': () => zoomBy(1 / 1.2),
    ArrowLeft: step,
    ArrowRight: step,
    ArrowUp: step,
    ArrowDown: step,
  })
  const zoomBy = (factor: number, at?: { x: number; y: number }): void => {
    const { clientWidth = 0, clientHeight = 0 } = ground.current ?? {}
    const centre = at ?? { x: clientWidth / 2, y: clientHeight / 2 }
    moved.current = true
    setView((now) => now && zoomed(now, factor, centre))
  }
  const wheel = (event: WheelEvent): void => {
    event.preventDefault()
    const box = (ground.current as HTMLDivElement).getBoundingClientRect()
    if (event.ctrlKey || event.metaKey)
      zoomBy(Math.exp(-event.deltaY / 200), { x: event.clientX - box.x, y: event.clientY - box.y })
    else {
      moved.current = true
      setView((now) => now && { ...now, x: now.x - event.deltaX, y: now.y - event.deltaY })
    }
  }
  const drag = (event: PointerEvent): void => {
    if (event.target !== event.currentTarget || view === undefined) return
    const target = event.currentTarget as HTMLElement
    const start = { x: event.clientX - view.x, y: event.clientY - view.y }
    target.setPointerCapture(event.pointerId)
    const move = (to: PointerEvent): void => {
      moved.current = true
      setView((now) => now && { ...now, x: to.clientX - start.x, y: to.clientY - start.y })
    }
    target.addEventListener('pointermove', move)
    target.addEventListener('pointerup', () => target.removeEventListener('pointermove', move), { once: true })
  }
  // of a card that the tab key has come to
  const focused = ({ target }: FocusEvent): void => {
    if (!(target instanceof HTMLElement) || !target.matches('.card:focus-visible')) return
    reveal(graph.nodes.find(({ name }) => name === target.dataset['step'])?.id)
  }
  // the same cards while nobody but the view moves: they are not looked at again then
  const cards = useMemo(() => {
    const rows = new Map(tick.stores.map(({ name, rows: n }) => [name, n]))
    const near = node === undefined ? undefined : neighbours(node.id, flow.edges)
    return flow.nodes.map((one) => {
      const placed = layout.nodes.get(one.id)
      if (placed === undefined) return null
      return (
        <NodeCard
          key={one.id}
          node={one}
          title={titles.get(one.id) ?? one.name}
          placed={placed}
          step={rates.steps.get(one.id)}
          rows={one.stores[0] === undefined ? undefined : rows.get(one.stores[0])}
          chosen={one.id === node?.id}
          faint={near !== undefined && !near.has(one.id)}
          blocked={blockedSubs.has(one.sub)}
          choose={choose}
        />
      )
    })
  }, [live, layout, chosen])
  const state = useStore(connection)
  const found = useMemo(() => <Findings found={state === 'live' ? findings(live) : [away(live)]} />, [live, state])

  return (
    <div ref={flat} class={`flow ${node === undefined ? '' : 'with-panel'}`}>
      <div class="ground" ref={ground} onWheel={wheel} onPointerDown={drag} onFocusIn={focused}>
        <canvas ref={canvas} />
        <div
          class="cards"
          style={view === undefined ? {} : { transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})` }}
        >
          {cards}
        </div>
        {found}
        <div class="legend" aria-hidden="true">
          <span class="legend-heat" />
          <span>idle → a core</span>
          <span class="legend-dash" />
          <span>change of key</span>
          <button type="button" class="chip" aria-pressed={all} onClick={() => setAll(!all)}>
            every step <kbd>a</kbd>
          </button>
          <button type="button" class="chip" onClick={fit}>
            fit <kbd>f</kbd>
          </button>
        </div>
      </div>
      {node !== undefined && <StepPanel node={node} live={live} close={() => go('flow')} />}
    </div>
  )
}

function neighbours(id: number, edges: readonly { readonly from: number; readonly to: number }[]): Set<number> {
  const near = new Set([id])
  for (const { from, to } of edges) {
    if (from === id) near.add(to)
    if (to === id) near.add(from)
  }
  return near
}
