import type { GraphNode } from '../../../src/http/live/types.ts'
import { behind, instant, percent, rate, short, whole } from '../lib/format.ts'
import { heat } from '../lib/heat.ts'
import type { Live } from '../lib/live.ts'
import { href } from '../lib/route.ts'
import { perRecord } from '../lib/verdict.ts'
import { wordOf } from './NodeCard.tsx'

/** All that is known of one step. */
export function StepPanel({ node, live, close }: { node: GraphNode; live: Live; close: () => void }) {
  const step = live.rates.steps.get(node.id)
  const tasks = live.rates.tasks.filter(({ sub }) => sub === node.sub)
  const inputs = live.rates.inputs.filter(({ topic }) => node.kind === 'source' && node.topics.includes(topic))
  const dropped = Object.entries(step?.dropped ?? {}).toSorted(([, a], [, b]) => b - a)
  return (
    <aside class="panel" aria-label={`Step ${node.name}`}>
      <header>
        <p class="eyebrow">{wordOf(node.kind)}</p>
        <h2>{node.name}</h2>
        <button type="button" class="quiet" onClick={close} title="Close (Esc)" aria-label="Close">
          ×
        </button>
      </header>
      {step !== undefined && (
        <dl class="figures">
          <Figure name="in" value={rate(step.in)} unit="/s" />
          <Figure name="out" value={rate(step.out)} unit="/s" />
          <Figure name="busy" value={percent(step.busy)} unit="of a core" colour={heat(step.busy)} />
          <Figure name="cost" value={step.in > 0 ? perRecord(step.busy, step.in) : '–'} unit="a record" />
        </dl>
      )}
      {dropped.length > 0 && (
        <section>
          <h3>Did not go on</h3>
          <table class="pairs">
            <tbody>
              {dropped.map(([reason, n]) => (
                <tr key={reason}>
                  <th>{reason}</th>
                  <td>{whole(n)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {inputs.length > 0 && (
        <section>
          <h3>Partitions</h3>
          <table class="pairs bars">
            <tbody>
              {inputs.map(({ topic, partition, lag, done }) => (
                <tr key={`${topic}/${partition}`}>
                  <th>
                    {topic} <b>{partition}</b>
                  </th>
                  <td>{rate(done)}/s</td>
                  <td class={lag > 1000 ? 'warn' : ''}>{short(lag)} wait</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {tasks.length > 0 && (
        <section>
          <h3>Tasks of its sub-topology</h3>
          <table class="pairs bars">
            <tbody>
              {tasks.map((task) => (
                <tr key={task.id}>
                  <th>
                    <a href={href('tasks', task.id)}>{task.id}</a>
                  </th>
                  <td>
                    <i class="bar" style={{ '--part': task.busy, '--heat': heat(task.busy) }} />
                  </td>
                  <td>{rate(task.records)}/s</td>
                  <td>{behind(task.watermark, live.tick.at) ?? instant(task.watermark).slice(0, 19)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {node.stores.length > 0 && (
        <section>
          <h3>State</h3>
          <p class="links">
            {node.stores.map((name) => (
              <a key={name} href={href('stores', name)}>
                {name}
              </a>
            ))}
          </p>
        </section>
      )}
      {node.topics.length > 0 && (
        <section>
          <h3>Topics</h3>
          <p class="links">
            {node.topics.map((name) => (
              <a key={name} href={href('topics', name)}>
                {name}
              </a>
            ))}
          </p>
        </section>
      )}
      {node.site !== undefined && (
        <section>
          <h3>Written at</h3>
          <p class="mono wrap">{node.site}</p>
        </section>
      )}
    </aside>
  )
}

interface FigureProps {
  readonly name: string
  readonly value: string
  readonly unit: string
  readonly colour?: string
}

export function Figure({ name, value, unit, colour }: FigureProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {colour !== undefined && <span class="swatch" style={{ background: colour }} />}
        {value}
        <small>{unit}</small>
      </dd>
    </div>
  )
}
