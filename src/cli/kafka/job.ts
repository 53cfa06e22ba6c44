import { kafkaBroker } from '../../connectors/kafka/index.ts'
import { StreamsApp } from '../../engine/app/app.ts'
import { inModule } from '../../engine/app/module.ts'
import { DhaaraError } from '../../errors/index.ts'
import type { RunFlags } from '../run-flags.ts'
import { codeOf, exitCode } from '../exit.ts'
import { defaultApplicationId, loadModule } from '../load-module.ts'
import { createLogger } from '../logging.ts'
import type { Progress } from '../progress.ts'
import { Signals } from '../signals.ts'
import { brokerList } from './topic-client.ts'

/** Runs an instance of a topology on a Kafka cluster. @returns the exit code */
export async function runOnKafka(path: string, flags: RunFlags, progress: Progress): Promise<number> {
  let app: StreamsApp | undefined
  using signals = new Signals((signal) => {
    progress.line(`${signal}: closing; once more ends it at once`)
    void app?.close()
  })
  let started = false
  try {
    refuse(flags)
    const settings = flags.set ?? {}
    const { url, options, topology, setup, teardown } = await loadModule(path, settings)
    const logger = createLogger(
      flags.logLevel ?? 'warn',
      (line) => progress.line(line),
      !flags.json && flags.logLevel === undefined,
    )
    const { checkpointInterval, dir, http } = flags
    const { workers = 0 } = flags
    app = new StreamsApp({
      ...options,
      ...(workers > 0 ? { topology: url, workers, settings } : { topology }),
      applicationId: flags.applicationId ?? options.applicationId ?? defaultApplicationId(url),
      broker: kafkaBroker({ brokers: brokerList(flags.brokers as string) }),
      logger: options.logger ?? logger,
      ...(dir === undefined ? {} : { stateDir: dir }),
      ...(http === undefined ? {} : { http: { ...options.http, port: http } }),
      ...(checkpointInterval === undefined ? {} : { checkpointInterval: checkpointInterval as '1s' }),
    })
    const env = { settings, worker: 0, signal: signals.signal, logger }
    // workers do it themselves
    if (workers === 0) await inModule('setup', () => setup?.(env))
    app.on('state', (change) => progress.event('state', change))
    app.on('restore', (restore) => progress.event('restore', restore))
    await app.start()
    started = true
    if (app.httpUrl !== undefined) progress.tell('http', { url: app.httpUrl })
    progress.watch(app)
    if (signals.code !== undefined) void app.close()
    if (flags.untilEnd) app.endInputs()
    const summary = await app.completed
    progress.stop()
    progress.summary(summary, [])
    if (workers === 0) await inModule('teardown', () => teardown?.(env))
    return signals.code ?? exitCode.done
  } catch (error) {
    progress.stop()
    progress.error(error)
    return started ? exitCode.failed : codeOf(error)
  }
}

/** Files are no topics of a cluster. */
function refuse({ input = [], output = [], partitions }: RunFlags): void {
  const found =
    input.length > 0
      ? ['--input', 'fill the topics: dhaara produce --brokers']
      : output.length > 0
        ? ['--output', 'read the topics: dhaara consume --brokers']
        : partitions !== undefined
          ? ['--partitions', 'give topics their partitions when they are made']
          : undefined
  if (found === undefined) return
  throw new DhaaraError('DHAARA_OPTION', `${found[0]} does not go with --brokers; ${found[1]}`)
}
