import { styleText } from 'node:util'
import type { Graph, Tick } from '../../http/live/types.ts'

interface Terminal {
  readonly columns: number
  readonly rows: number
  readonly colour: boolean
}

type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green' | 'cyan' | 'magenta'

/** What `dhaara top` shows: rates between two ticks, the slowest steps first, the partitions that are most behind first. */
export function screen(app: string, graph: Graph, before: Tick, now: Tick, terminal: Terminal): string {
  const ms = Math.max(1, now.at - before.at)
  const paint = (style: Style, text: string): string =>
    terminal.colour ? styleText(style, text, { validateStream: false }) : text
  const rate = (was: number | undefined, is: number): number => (Math.max(0, is - (was ?? is)) * 1000) / ms
  const { latency, checkpoints, process: own } = now
  const figures = [
    ['in', `${short(rate(before.recordsIn, now.recordsIn))}/s`],
    ['out', `${short(rate(before.recordsOut, now.recordsOut))}/s`],
    ['p50', time(latency?.p50)],
    ['p99', time(latency?.p99)],
    ['p99.9', time(latency?.p999)],
    ['checkpoint', time(checkpoints.ms)],
    ['cpu', own.cpu.toFixed(2)],
    ['memory', `${Math.round(own.rssBytes / 1e6)} MB`],
  ]
  const head = [
    `${paint('bold', app)}  ${paint(now.state === 'running' ? 'green' : 'yellow', now.state)}  up ${time(now.upMs)}`,
    figures.map(([name, value]) => `${paint('dim', name as string)} ${value}`).join('   '),
    '',
  ]
  const room = Math.max(4, terminal.rows - head.length - 8)
  return `${[...head, ...steps(Math.ceil(room * 0.6)), '', ...inputs(Math.floor(room * 0.4))]
    .map((line) => clipped(line, Math.max(40, terminal.columns)).trimEnd())
    .join('\n')}\n`

  function steps(most: number): string[] {
    const was = new Map(before.steps.map((step) => [step.id, step]))
    // time is sampled: a step cannot have had more of it than its threads have
    const threads = Math.max(1, new Set(now.tasks.map(({ worker }) => worker)).size)
    const names = new Map(graph.nodes.map(({ id, name, kind }) => [id, { name, kind }]))
    const rows = now.steps
      .map((step) => {
        const old = was.get(step.id)
        const busy = Math.min(threads, Math.max(0, step.busyMs - (old?.busyMs ?? step.busyMs)) / ms)
        const lost = Object.values(step.dropped).reduce((sum, n) => sum + n, 0)
        return { ...names.get(step.id), busy, in: rate(old?.in, step.in), out: rate(old?.out, step.out), lost }
      })
      .toSorted((a, b) => b.busy - a.busy)
      .slice(0, most)
    const line = (cells: readonly string[]): string =>
      `${(cells[0] as string).padEnd(34).slice(0, 34)} ${(cells[1] as string).padEnd(16)} ${cells
        .slice(2)
        .map((cell) => cell.padStart(9))
        .join(' ')}`
    return [
      paint('dim', line(['STEP', 'KIND', 'BUSY', 'IN/S', 'OUT/S', 'LOST'])),
      ...rows.map(({ name = '', kind = '', busy, in: came, out, lost }) => {
        const text = line([
          name,
          kind,
          `${Math.round(busy * 100)} %`,
          short(came),
          short(out),
          lost === 0 ? '' : short(lost),
        ])
        return busy > 0.66 ? paint('red', text) : busy > 0.33 ? paint('yellow', text) : text
      }),
    ]
  }

  function inputs(most: number): string[] {
    const was = new Map(before.inputs.map((input) => [`${input.topic}/${input.partition}`, input]))
    const marks = new Map(now.tasks.map((task) => [`${task.sub}/${task.partition}`, task]))
    const subs = new Map(
      graph.nodes.flatMap(({ kind, topics, sub }) =>
        kind === 'source' ? topics.map((name) => [name, sub] as const) : [],
      ),
    )
    const rows = now.inputs
      .map((input) => {
        const name = `${input.topic}/${input.partition}`
        const task = marks.get(`${subs.get(input.topic)}/${input.partition}`)
        const done = rate(was.get(name)?.position ?? undefined, input.position ?? 0)
        return { name, lag: input.position === null ? 0 : input.end - input.position, done, task }
      })
      .toSorted((a, b) => b.lag - a.lag)
      .slice(0, most)
    const line = (cells: readonly string[]): string =>
      `${(cells[0] as string).padEnd(34).slice(0, 34)} ${cells
        .slice(1, 3)
        .map((cell) => cell.padStart(12))
        .join(' ')}  ${cells[3]}`
    return [
      paint('dim', line(['INPUT', 'LAG', 'DONE/S', 'WATERMARK'])),
      ...rows.map(({ name, lag, done, task }) => {
        const mark = task?.watermark
        const text = line([
          name,
          short(lag),
          short(done),
          mark === undefined || mark === null ? '' : new Date(mark).toISOString(),
        ])
        return lag > Math.max(1000, done * 2) ? paint('red', text) : text
      }),
    ]
  }
}

/** So many characters of a line, and its colours: a line that wraps pushes the first ones out of a terminal. */
function clipped(line: string, columns: number): string {
  let left = columns
  return line.replace(/(\u001B\[[\d;]*m)|./gu, (part, colour) => (colour !== undefined || left-- > 0 ? part : ''))
}

function short(n: number): string {
  // what would be rounded up to the unit is of it
  for (const [size, unit] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const)
    if (n >= size * 0.9995) return `${Math.max(1, n / size).toPrecision(3)}${unit}`
  return n >= 100 || Number.isInteger(n) ? String(Math.round(n)) : n.toFixed(1)
}

function time(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '–'
  if (ms < 10) return `${ms.toFixed(1)} ms`
  if (ms < 1000) return `${Math.round(ms)} ms`
  const s = Math.round(ms / 1000)
  return s < 60
    ? `${s} s`
    : s < 3600
      ? `${Math.floor(s / 60)} m ${s % 60} s`
      : `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} m`
}
