import type { Command } from 'commander'
import type { Graph, Tick } from '../../http/live/types.ts'
import { count } from '../arguments.ts'
import { askEvents, askJson, type Served, tokenFlag, urlFlag } from '../http-client.ts'
import { print } from '../output/print.ts'
import { screen } from '../output/top-screen.ts'

interface TopFlags extends Served {
  readonly once?: true
  readonly seconds: number
}

const help = `
Shows throughput, latency, lag and watermarks of an app that is served over HTTP, and its slowest steps, each second.

Examples:
  $ dhaara top --url http://127.0.0.1:8090
  $ dhaara top --url http://127.0.0.1:8090 --once`

export function addTop(program: Command): void {
  program
    .command('top')
    .summary('watch a running app: throughput, lag, slow steps')
    .description('A dashboard in the terminal.')
    .requiredOption(...urlFlag)
    .option(...tokenFlag)
    .option('--once', 'look once and end')
    .option('--seconds <n>', 'that rates are taken over', count(1), 2)
    .addHelpText('after', help)
    .action(top)
}

async function top(flags: TopFlags): Promise<void> {
  const { once, seconds } = flags
  const ending = new AbortController()
  const end = (): void => ending.abort()
  process.stdout.on('error', end)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end)
  const { applicationId } = await askJson<{ applicationId: string }>(flags, 'api/app')
  const graph = await askJson<Graph>(flags, 'api/graph')
  const ticks: Tick[] = []
  const full = process.stdout.isTTY === true && once === undefined
  if (full) await print('\u001B[?1049h\u001B[?25l')
  try {
    for await (const data of askEvents(flags, 'api/live', ending.signal)) {
      const tick = JSON.parse(data) as Tick | unknown[]
      if (Array.isArray(tick)) continue
      ticks.push(tick as Tick)
      if (ticks.length < 2) continue
      if (ticks.length > seconds + 1) ticks.shift()
      const columns = process.stdout.columns ?? 140
      const rows = process.stdout.rows ?? 40
      const text = screen(applicationId, graph, ticks[0] as Tick, tick as Tick, { columns, rows, colour: full })
      await print(full ? `\u001B[H${text.replaceAll('\n', '\u001B[K\n')}\u001B[J` : text)
      if (once !== undefined) return
    }
  } catch (error) {
    if (!ending.signal.aborted) throw error
  } finally {
    ending.abort()
    if (full) await print('\u001B[?25h\u001B[?1049l')
  }
}
