import { StreamsBuilder, serdes, type TopologyEnv, type WorkerEnv } from '../../../../src/index.ts'

let greeting = ''

export default ({ settings }: TopologyEnv) => {
  const builder = new StreamsBuilder()
  builder
    .stream('names', { key: serdes.string(), value: serdes.json<string>() })
    .mapValues((name) => `${greeting} ${name}`)
    .to(settings['output'] ?? 'unknown', { value: serdes.json() })
  return builder.build()
}

export function setup({ settings, worker, logger }: WorkerEnv): void {
  greeting = settings['greeting'] ?? 'none'
  logger.info({ worker }, 'set up')
}

export function teardown({ worker, signal, logger }: WorkerEnv): void {
  logger.info({ worker, aborted: signal.aborted }, 'torn down')
}
