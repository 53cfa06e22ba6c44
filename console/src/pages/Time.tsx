import { useMemo } from 'preact/hooks'
import { bytes, duration, rate, short } from '../lib/format.ts'
import type { Live } from '../lib/live.ts'
import { Chart } from '../ui/Chart.tsx'

/** How things went over the last ten minutes. */
export function Time({ live }: { live: Live }) {
  const { history, tick } = live
  const data = useMemo(() => {
    const of = (value: (point: Live['history'][number]) => number | null | undefined): (number | null)[] =>
      history.map((point) => value(point) ?? null)
    const at = history.map((point) => point.at / 1000)
    return {
      through: [at, of(({ in: came }) => came), of(({ out }) => out)],
      latency: [at, of((p) => p.latency?.p50), of((p) => p.latency?.p99), of((p) => p.latency?.p999)],
      checkpoint: [at, of(({ checkpointMs }) => checkpointMs)],
      lag: [at, of(({ lag }) => lag)],
      cpu: [at, of(({ cpu }) => cpu)],
    }
  }, [history])
  return (
    <div class="charts">
      <Chart
        title="Records a second"
        data={data.through}
        format={rate}
        lines={[
          { name: 'in', colour: '--accent', filled: true },
          { name: 'out', colour: '--warm' },
        ]}
      />
      <Chart
        title="Latency, from an input to the commit"
        data={data.latency}
        format={duration}
        log
        lines={[
          { name: 'p50', colour: '--accent' },
          { name: 'p99', colour: '--warm' },
          { name: 'p99.9', colour: '--hot' },
        ]}
      />
      <Chart
        title="Records that wait"
        data={data.lag}
        format={short}
        lines={[{ name: 'lag', colour: '--hot', filled: true }]}
      />
      <Chart
        title="Writing a checkpoint"
        data={data.checkpoint}
        format={duration}
        lines={[{ name: 'mean', colour: '--blocked' }]}
      />
      <Chart
        title="Cores in use"
        data={data.cpu}
        format={(n) => n.toFixed(n < 0.1 ? 3 : 2)}
        lines={[{ name: 'cpu', colour: '--soft', filled: true }]}
      />
      <dl class="figures sheet">
        <Row
          name="checkpoints"
          value={short(tick.checkpoints.count)}
          note={`${bytes(tick.checkpoints.bytes)} in all`}
        />
        <Row name="heap" value={bytes(tick.process.heapBytes)} note={`of ${bytes(tick.process.rssBytes)} resident`} />
        <Row name="event loop" value={duration(tick.process.loopMs)} note="late at worst" />
        <Row name="records" value={short(tick.recordsIn)} note={`in, ${short(tick.recordsOut)} out`} />
      </dl>
    </div>
  )
}

const Row = ({ name, value, note }: { name: string; value: string; note: string }) => (
  <div>
    <dt>{name}</dt>
    <dd>
      {value}
      <small>{note}</small>
    </dd>
  </div>
)
