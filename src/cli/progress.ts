import type { StreamsApp } from '../engine/app/app.ts'
import type { RunSummary } from '../engine/app/summary.ts'
import { errorText, reportOf } from './report-error.ts'

/** How a run tells what it does, on standard error. */
export interface Progress {
  /** A line of somebody else's, such as a log. */
  line(text: string): void
  event(name: string, fields: object): void
  /** An event that people want to know of too. */
  tell(name: string, fields: Readonly<Record<string, string>>): void
  error(error: unknown): void
  /** Begins to tell how far the app is. */
  watch(app: StreamsApp): void
  summary(summary: RunSummary, outputs: readonly { readonly topic: string; readonly records: number }[]): void
  stop(): void
}

interface Figures {
  readonly recordsIn: number
  readonly recordsOut: number
  readonly perSecond: number
  readonly watermark: number
  readonly checkpoints: number
  readonly late: number
  readonly dropped: number
}

const liveEvery = 200
const plainEvery = 5000

/** One line that changes on a terminal; a line every few seconds elsewhere; or JSON lines. */
export function createProgress(json: boolean, err: NodeJS.WriteStream = process.stderr): Progress {
  const live = !json && err.isTTY === true
  let timer: NodeJS.Timeout | undefined
  let shown = false
  const clear = (): void => {
    if (shown) err.write('\r\x1b[K')
    shown = false
  }
  const line = (text: string): void => {
    clear()
    err.write(text.endsWith('\n') ? text : `${text}\n`)
  }
  const event = (name: string, fields: object): void => {
    if (json) line(JSON.stringify({ event: name, time: new Date().toISOString(), ...fields }))
  }
  return {
    line,
    event,
    tell(name, fields) {
      if (json) event(name, fields)
      else line([name, ...Object.values(fields)].join(' '))
    },
    error(error) {
      if (json) event('error', reportOf(error))
      else line(errorText(error))
    },
    watch(app) {
      const figures = meter(app)
      const tell = (): void => {
        const now = figures()
        if (json) event('progress', { ...now, watermark: watermarkText(now.watermark) })
        else if (!live) line(figuresText(now))
        else {
          err.write(`\r\x1b[K${figuresText(now).slice(0, (err.columns || 80) - 1)}`)
          shown = true
        }
      }
      timer = setInterval(tell, live ? liveEvery : plainEvery)
    },
    summary(summary, outputs) {
      if (json) event('summary', { ...summary, outputs })
      else line(summaryText(summary, outputs))
    },
    stop() {
      clearInterval(timer)
      clear()
    },
  }
}

/** Counts over time. */
function meter(app: StreamsApp): () => Figures {
  let [at, seen] = [performance.now(), 0]
  return () => {
    const metrics = app.metrics()
    const { recordsIn = 0, recordsOut = 0, epochs = 0, watermark = Number.NEGATIVE_INFINITY } = metrics
    const now = performance.now()
    const perSecond = now > at ? Math.max(0, Math.round(((recordsIn - seen) * 1000) / (now - at))) : 0
    ;[at, seen] = [now, recordsIn]
    const { late, dropped } = losses(metrics)
    return { recordsIn, recordsOut, perSecond, watermark, checkpoints: epochs, late, dropped }
  }
}

/** Records that were late, and that were left out for another reason. */
function losses(metrics: Readonly<Record<string, number>>): { readonly late: number; readonly dropped: number } {
  let [late, dropped] = [0, 0]
  for (const [name, n] of Object.entries(metrics)) {
    if (name.endsWith('.dropped.late')) late += n
    else if (name.includes('.dropped.') || name.endsWith('.invalid')) dropped += n
  }
  return { late, dropped }
}

const number = new Intl.NumberFormat('en-US')

/** A watermark as a date: '-' before any record, 'end' when all inputs have ended. */
function watermarkText(w: number): string {
  if (w === Number.NEGATIVE_INFINITY) return '-'
  return w === Number.POSITIVE_INFINITY ? 'end' : new Date(w).toISOString()
}

function figuresText({ recordsIn, recordsOut, perSecond, watermark, checkpoints, late, dropped }: Figures): string {
  return [
    `${number.format(recordsIn)} in`,
    `${number.format(perSecond)}/s`,
    `${number.format(recordsOut)} out`,
    `watermark ${watermarkText(watermark)}`,
    `${number.format(checkpoints)} checkpoints`,
    `${number.format(late)} late`,
    `${number.format(dropped)} dropped`,
  ].join('  ')
}

function summaryText(
  { recordsIn, recordsOut, dropped, late, epochs, elapsedMs }: RunSummary,
  outputs: readonly { readonly topic: string; readonly records: number }[],
): string {
  const rate = elapsedMs > 0 ? Math.round((recordsIn * 1000) / elapsedMs) : 0
  const losses = (what: string, by: Readonly<Record<string, number>>) =>
    Object.entries(by).map(([name, n]) => `  ${number.format(n)} ${what} in ${name}`)
  return [
    `${number.format(recordsIn)} records in, ${number.format(recordsOut)} out, in ${(elapsedMs / 1000).toFixed(1)} s (${number.format(rate)}/s), ${number.format(epochs)} checkpoints`,
    ...losses('late', late),
    ...losses('dropped', dropped),
    ...outputs.map(({ topic, records }) => `  ${number.format(records)} records of ${topic} written`),
  ].join('\n')
}
