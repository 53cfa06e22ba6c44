import { useEffect, useRef } from 'preact/hooks'
import { behind, instant, percent, rate, short } from '../lib/format.ts'
import { heat } from '../lib/heat.ts'
import type { InputRate, Live, TaskRate } from '../lib/live.ts'

/** A row for each sub-topology, a cell for each partition: what is hot, behind or held back shows at once. */
export function Tasks({ live, chosen }: { live: Live; chosen: string | undefined }) {
  const { graph, rates, tick } = live
  const found = useRef<HTMLTableRowElement>(null)
  useEffect(() => found.current?.scrollIntoView({ block: 'center' }), [chosen])
  const subs = graph.subs.filter(({ id }) => rates.tasks.some(({ sub }) => sub === id))
  return (
    <div class="page">
      <section class="matrix" aria-label="Busy share by sub-topology and partition">
        {subs.map(({ id, name }) => (
          <div key={id} class="lane">
            <h3 title={name}>{name}</h3>
            <div class="cells">
              {rates.tasks
                .filter(({ sub }) => sub === id)
                .map((task) => (
                  <a
                    key={task.id}
                    href={`#/tasks/${task.id}`}
                    class={`cell ${task.id === chosen ? 'here' : ''} ${task.blocked > 0.1 ? 'blocked' : ''}`}
                    style={{ '--heat': heat(task.busy), '--part': Math.max(0.06, task.busy) }}
                    title={`${task.id}: busy ${percent(task.busy)}`}
                  >
                    <span>{task.partition}</span>
                  </a>
                ))}
            </div>
          </div>
        ))}
      </section>
      <div class="scroll">
        <table class="rows tasks">
          <thead>
            <tr>
              <th>task</th>
              <th>worker</th>
              <th>busy</th>
              <th>records</th>
              <th>waits in inputs</th>
              <th>held back</th>
              <th>waits for others</th>
              <th>watermark</th>
              <th>behind</th>
            </tr>
          </thead>
          <tbody>
            {rates.tasks.map((task) => {
              const lag = lagOf(task, live)
              return (
                <tr
                  key={task.id}
                  ref={task.id === chosen ? found : null}
                  class={task.id === chosen ? 'opened-row' : ''}
                >
                  <th>{task.id}</th>
                  <td>{task.worker ?? 'main'}</td>
                  <td>
                    <i class="bar" style={{ '--part': task.busy, '--heat': heat(task.busy) }} />
                    <small>{percent(task.busy)}</small>
                  </td>
                  <td class="number">{rate(task.records)}/s</td>
                  <td class={`number ${lag > 1000 ? 'warn' : ''}`}>{short(lag + task.backlog)}</td>
                  <td class="number">{task.blocked > 0.01 ? percent(task.blocked) : ''}</td>
                  <td class="number">{task.waiting > 0.01 ? percent(task.waiting) : ''}</td>
                  <td>{instant(task.watermark)}</td>
                  <td class="number">{behind(task.watermark, tick.at) ?? ''}</td>
                </tr>
              )
            })}
          </tbody>
        </table>
      </div>
    </div>
  )
}

/** Records that wait in the topics that the task reads. */
function lagOf(task: TaskRate, { graph, rates }: Live): number {
  const topics = new Set(
    graph.nodes.filter(({ sub, kind }) => sub === task.sub && kind === 'source').flatMap((n) => n.topics),
  )
  const own = ({ topic, partition }: InputRate): boolean => partition === task.partition && topics.has(topic)
  return rates.inputs.filter(own).reduce((sum, { lag }) => sum + lag, 0)
}
