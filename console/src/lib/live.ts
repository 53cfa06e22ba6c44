import type { Graph, InputTick, Point, StepTick, Tick } from '../../../src/http/live/types.ts'
import { events, getJson, Problem } from './api.ts'
import { Store } from './store.ts'

/** What is known of the app: the last tick, and how fast things went over the last seconds. */
export interface Live {
  readonly graph: Graph
  readonly tick: Tick
  readonly rates: Rates
  readonly history: readonly Point[]
}

export interface StepRate {
  /** Records a second. */
  readonly in: number
  readonly out: number
  /** Share of one core, 0 … tasks. */
  readonly busy: number
  readonly dropped: Readonly<Record<string, number>>
}

export interface TaskRate {
  readonly id: string
  readonly sub: number
  readonly partition: number
  readonly worker: number | null
  readonly records: number
  readonly busy: number
  readonly blocked: number
  readonly waiting: number
  readonly backlog: number
  readonly watermark: number | null
  readonly streamTime: number | null
}

export interface InputRate extends InputTick {
  readonly lag: number
  /** Records a second that come, and that are processed. */
  readonly arriving: number
  readonly done: number
}

export interface Rates {
  readonly in: number
  readonly out: number
  readonly steps: ReadonlyMap<number, StepRate>
  readonly tasks: readonly TaskRate[]
  readonly inputs: readonly InputRate[]
}

/** 'silent': there is a connection, and nothing comes of it. */
export type Connection = 'connecting' | 'live' | 'silent' | 'lost'

export const live = new Store<Live | undefined>(undefined)
export const connection = new Store<Connection>('connecting')
export const paused = new Store(false)

/** Seconds that rates are taken over: long enough to be calm, short enough to follow. */
const span = 4
const mostPoints = 600

/** A second without a tick is nothing; so many ms, and what is shown is old. */
const silentAfter = 5000
/** Then another connection is tried: nobody may be at the other end of this one. */
const lostAfter = 20_000

/** Follows the app until the signal ends; comes back after a loss. */
export async function follow(signal: AbortSignal): Promise<void> {
  for (let wait = 500; !signal.aborted; wait = Math.min(8000, wait * 2)) {
    try {
      await stream(signal, () => (wait = 500))
    } catch (error) {
      if (error instanceof Problem && error.status === 401) return
    }
    if (signal.aborted) return
    connection.set('lost')
    await new Promise((resolve) => setTimeout(resolve, wait))
  }
}

async function stream(ended: AbortSignal, came: () => void): Promise<void> {
  const lost = new AbortController()
  const signal = AbortSignal.any([ended, lost.signal])
  let heard = performance.now()
  const watch = setInterval(() => {
    const silence = performance.now() - heard
    if (silence > lostAfter) lost.abort()
    else if (silence > silentAfter && connection.value === 'live') connection.set('silent')
  }, 1000)
  try {
    await read(signal, () => {
      heard = performance.now()
      came()
    })
  } finally {
    clearInterval(watch)
  }
}

async function read(signal: AbortSignal, came: () => void): Promise<void> {
  const graph = await getJson<Graph>('api/graph', signal)
  const ticks: Tick[] = []
  let history: Point[] = []
  for await (const { name, data } of events('api/live', signal)) {
    came()
    if (name === 'history') {
      history = JSON.parse(data) as Point[]
      continue
    }
    const tick = JSON.parse(data) as Tick
    const before = ticks.at(-1)
    ticks.push(tick)
    if (ticks.length > span + 1) ticks.shift()
    if (before !== undefined) history = [...history.slice(-mostPoints + 1), pointOf(before, tick)]
    connection.set('live')
    if (!paused.value || live.value === undefined)
      live.set({ graph, tick, history, rates: ratesOf(ticks[0] as Tick, tick) })
  }
}

const grown = (was: number | undefined, is: number): number => (was === undefined || is < was ? 0 : is - was)

export function ratesOf(before: Tick, now: Tick): Rates {
  const ms = Math.max(1, now.at - before.at)
  const perSecond = (was: number | undefined, is: number): number => (grown(was, is) * 1000) / ms
  const share = (was: number | undefined, is: number): number => grown(was, is) / ms
  const steps = new Map(before.steps.map((step) => [step.id, step]))
  const tasks = new Map(before.tasks.map((task) => [task.id, task]))
  const inputs = new Map(before.inputs.map((input) => [`${input.topic}/${input.partition}`, input]))
  // time is sampled, and what a sample stands for may be said a little late: more than there is of it is not shown
  const threads = Math.max(1, new Set(now.tasks.map(({ worker }) => worker)).size)
  return {
    in: perSecond(before.recordsIn, now.recordsIn),
    out: perSecond(before.recordsOut, now.recordsOut),
    steps: new Map(
      now.steps.map((step): [number, StepRate] => {
        const was: StepTick | undefined = steps.get(step.id)
        const busy = Math.min(threads, share(was?.busyMs, step.busyMs))
        return [
          step.id,
          { in: perSecond(was?.in, step.in), out: perSecond(was?.out, step.out), busy, dropped: step.dropped },
        ]
      }),
    ),
    tasks: now.tasks.map((task) => {
      const was = tasks.get(task.id)
      return {
        ...task,
        records: perSecond(was?.processed, task.processed),
        busy: Math.min(1, share(was?.busyMs, task.busyMs)),
        blocked: Math.min(1, share(was?.blockedMs, task.blockedMs)),
        waiting: Math.min(1, share(was?.waitingMs, task.waitingMs)),
      }
    }),
    inputs: now.inputs.map((input) => {
      const was = inputs.get(`${input.topic}/${input.partition}`)
      const { position, end } = input
      return {
        ...input,
        lag: position === null ? 0 : Math.max(0, end - position),
        arriving: perSecond(was?.end, end),
        done: position === null ? 0 : perSecond(was?.position ?? undefined, position),
      }
    }),
  }
}

function pointOf(before: Tick, now: Tick): Point {
  const { in: came, out, inputs } = ratesOf(before, now)
  const lag = inputs.reduce((sum, input) => sum + input.lag, 0)
  const { latency, checkpoints, process } = now
  return { at: now.at, in: came, out, latency, checkpointMs: checkpoints.ms, lag, cpu: process.cpu }
}
