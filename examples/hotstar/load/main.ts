/**
 * `npm run load:hotstar`: a million players' sessions in state, then 200,000 events a second for a minute, which are offered whether
 * or not the app keeps up. Prints what it sustains. The sender is a process of its own on the same machine. What is left when the
 * load ends is processed for `--drain` seconds more; then the app is closed, and the rest stays in the log.
 *
 *     npm run load:hotstar -- [--rate 200000] [--seconds 60] [--sessions 1000000] [--workers 1] [--partitions 4] [--drain 30] [--json]
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { embeddedBroker, StreamsApp } from '../../../src/index.ts'
import { grouped } from '../../lib/terminal.ts'
import type { SenderJob, SenderNews } from './sender.ts'

const topic = 'hotstar-events'

export interface Load {
  readonly rate: number
  readonly seconds: number
  readonly sessions: number
  readonly workers: number
  readonly partitions: number
  /** Seconds for what is left when the load ends. */
  readonly drain: number
}

export interface Sustained extends Load {
  /** In the state before the load began. */
  readonly sessionsBefore: number
  /** What the log took of the events: fewer than were due where the sender, too, wants for processor time. */
  readonly offered: number
  /** While the load lasted. */
  readonly processed: number
  readonly processedPerSecond: number
  /** Of what was offered, processed when the load ended, 0 to 1. */
  readonly kept: number
  /** After the load's end, until nothing was left; undefined: it was not waited for. */
  readonly catchUpSeconds: number | undefined
  /** Of what was offered, at the end of all. */
  readonly left: number
  readonly recordsOut: number
  /** Cores in use while the load lasted, without the sender's. */
  readonly cores: number
  /** Events that were processed, without the sender: what does not depend on who else uses the machine. */
  readonly perCpuSecond: number
  readonly senderCores: number
  readonly senderBehindMs: number
  readonly peakRssMb: number
}

export async function sustain(load: Load, log: (text: string) => void): Promise<Sustained> {
  const { rate, seconds, sessions, workers, partitions, drain } = load
  const dir = mkdtempSync(join(tmpdir(), 'hotstar-load-'))
  const broker = embeddedBroker({ dir, partitions })
  const options = { applicationId: 'hotstar', broker, checkpointInterval: '500ms', memoryBytes: 2 ** 30 } as const
  const module = new URL('../topology.ts', import.meta.url)
  const app = new StreamsApp({ ...options, topology: module, workers })
  await app.start()
  const job: SenderJob = { dir, topic, seats: sessions, rate, seconds }
  const sender = fork(join(import.meta.dirname, 'sender.ts'), [JSON.stringify(job)])
  const news = async <T extends SenderNews['type']>(type: T): Promise<Extract<SenderNews, { type: T }>> => {
    const [message] = (await Promise.race([once(sender, 'message'), failed(sender)])) as [SenderNews]
    if (message.type !== type) throw new Error(`The sender said ${message.type}, expected ${type}`)
    return message as Extract<SenderNews, { type: T }>
  }
  const processed = (): number => app.metrics()['recordsIn'] ?? 0
  const until = async (count: number, end = Number.POSITIVE_INFINITY): Promise<void> => {
    while (processed() < count && performance.now() < end) await sleep(20)
  }
  try {
    log(`Seating ${grouped(sessions)} players`)
    await news('seated')
    await until(sessions)
    const inState = (): Promise<number> => app.store('sessions').count({ estimate: true })
    // rows are counted as of the last checkpoint
    while ((await inState()) < sessions) await sleep(20)
    const sessionsBefore = await inState()
    log(`${grouped(sessionsBefore)} sessions are in the state; ${grouped(rate)} events a second for ${seconds} s`)

    const cpu = process.cpuUsage()
    const out = app.metrics()['recordsOut'] ?? 0
    const began = performance.now()
    const sent = news('sent')
    sender.send('go')
    await sleep(seconds * 1000)
    const processedInTime = processed() - sessions
    const { user, system } = process.cpuUsage(cpu)
    const took = (performance.now() - began) / 1000
    const { events, behindMs, cpuSeconds, seconds: senderTook } = await sent
    await until(sessions + events, began + (seconds + drain) * 1000)
    const all = process.cpuUsage(cpu)
    const done = processed() - sessions
    const catchUpSeconds = done < events ? undefined : Math.max(0, (performance.now() - began) / 1000 - seconds)
    return {
      ...load,
      sessionsBefore,
      offered: events,
      processed: processedInTime,
      processedPerSecond: Math.round(processedInTime / took),
      kept: processedInTime / events,
      catchUpSeconds,
      left: events - done,
      recordsOut: (app.metrics()['recordsOut'] ?? 0) - out,
      cores: (user + system) / 1e6 / took,
      perCpuSecond: Math.round((done * 1e6) / (all.user + all.system)),
      senderCores: cpuSeconds / senderTook,
      senderBehindMs: Math.round(behindMs),
      peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
    }
  } finally {
    sender.kill()
    await app.close()
    await broker[Symbol.asyncDispose]?.()
    rmSync(dir, { recursive: true, force: true })
  }
}

async function failed(sender: ReturnType<typeof fork>): Promise<never> {
  const [code] = await once(sender, 'exit')
  throw new Error(`The sender ended early, exit code ${code}`)
}

function told(found: Sustained): string {
  const { rate, sessionsBefore, processedPerSecond, kept, catchUpSeconds, cores, senderCores, peakRssMb } = found
  const rest =
    catchUpSeconds === undefined
      ? `left          ${grouped(found.left).padStart(10)} events in the log, ${found.drain} s after the last one was offered`
      : `the rest      ${catchUpSeconds.toFixed(1).padStart(10)} s after the last event everything was processed`
  return [
    `due           ${grouped(rate).padStart(10)} events a second for ${found.seconds} s, over ${grouped(sessionsBefore)} sessions in the state`,
    `offered       ${grouped(Math.round(found.offered / found.seconds)).padStart(10)} events a second, which the log took`,
    `sustained     ${grouped(processedPerSecond).padStart(10)} events a second (${(kept * 100).toFixed(1)} % of them), ` +
      `${(found.recordsOut / (found.offered - found.left)).toFixed(1)} rows out for each, exactly once`,
    rest,
    `a core        ${grouped(found.perCpuSecond).padStart(10)} events a second of processor time, clients apart`,
    `used          ${cores.toFixed(2).padStart(10)} cores by the app, ${senderCores.toFixed(2)} by the sender; ${grouped(peakRssMb)} MB`,
    `on            ${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? '?'}), ${found.partitions} partitions, ${found.workers} workers, node ${process.versions.node}`,
  ].join('\n')
}

if (import.meta.main) {
  const text = (value: string) => ({ type: 'string', default: value }) as const
  const { values } = parseArgs({
    options: {
      rate: text('200000'),
      seconds: text('60'),
      sessions: text('1000000'),
      workers: text('1'),
      partitions: text('4'),
      drain: text('30'),
      json: { type: 'boolean', default: false },
    },
  })
  const { json, ...texts } = values
  const load = Object.fromEntries(
    Object.entries(texts).map(([name, value]) => [name, Number(value)]),
  ) as unknown as Load
  const found = await sustain(load, (line) => console.error(line))
  console.log(json ? JSON.stringify(found) : told(found))
}
