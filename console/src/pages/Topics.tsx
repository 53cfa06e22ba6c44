import { Fragment } from 'preact'
import { useState } from 'preact/hooks'
import { instant, rate, short, whole } from '../lib/format.ts'
import type { Live } from '../lib/live.ts'
import { useJson } from '../lib/use-json.ts'
import { brief, Json } from '../ui/Json.tsx'
import { List } from '../ui/List.tsx'

interface Topic {
  readonly name: string
  readonly partitions: readonly { readonly start: number; readonly end: number; readonly position?: number }[]
}

interface TopicRecord {
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: unknown
  readonly value: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** Characters of a value that a list is asked for: it is asked for each second, and a cell has no room for more. */
const mostValue = 600

/** What lies in topics, the newest first, as it comes. */
export function Topics({ live, chosen }: { live: Live; chosen: string | undefined }) {
  const { value: topics = [], problem } = useJson<readonly Topic[]>('api/topics', 3000)
  const topic = topics.find(({ name }) => name === chosen) ?? topics[0]
  const items = topics.map(({ name, partitions }) => ({
    name,
    note: `${short(partitions.reduce((sum, { start, end }) => sum + end - start, 0))} records, ${partitions.length} p`,
  }))
  return (
    <div class="split">
      <List page="topics" items={items} chosen={topic?.name} />
      {problem !== undefined && <p class="problem">{problem}</p>}
      {topic !== undefined && <Opened key={topic.name} topic={topic} live={live} />}
    </div>
  )
}

function Opened({ topic, live }: { topic: Topic; live: Live }) {
  const [partition, setPartition] = useState<number>()
  const [following, setFollowing] = useState(true)
  const [open, setOpen] = useState<string>()
  const where = partition === undefined ? '' : `&partition=${partition}`
  const path = `api/topics/${encodeURIComponent(topic.name)}/records?limit=${partition === undefined ? 25 : 100}&most=${mostValue}${where}`
  const { value, problem } = useJson<{ records: readonly TopicRecord[] }>(path, following ? 1000 : undefined)
  const records = value?.records.toSorted((a, b) => b.timestamp - a.timestamp || b.offset - a.offset) ?? []
  return (
    <section class="opened">
      <header class="query">
        <h2>{topic.name}</h2>
        <span class="switches">
          <button type="button" class="chip" aria-pressed={following} onClick={() => setFollowing(!following)}>
            live
          </button>
        </span>
      </header>
      <div class="partitions">
        {topic.partitions.map(({ start, end, position }, p) => {
          const input = live.rates.inputs.find((one) => one.topic === topic.name && one.partition === p)
          return (
            <button
              key={p}
              type="button"
              class="partition"
              aria-pressed={partition === p}
              onClick={() => setPartition(partition === p ? undefined : p)}
            >
              <b>{p}</b>
              <span>{whole(end - start)}</span>
              {input !== undefined && <small>+{rate(input.arriving)}/s</small>}
              {position !== undefined && end > position && <small class="warn">{short(end - position)} wait</small>}
            </button>
          )
        })}
      </div>
      {problem !== undefined && <p class="problem">{problem}</p>}
      {records.length === 0 ? (
        <p class="empty">{value === undefined && problem === undefined ? 'Asking' : 'No records.'}</p>
      ) : (
        <div class="scroll">
          <table class="rows">
            <thead>
              <tr>
                <th>offset</th>
                <th>time</th>
                <th>key</th>
                <th>value</th>
              </tr>
            </thead>
            <tbody>
              {records.map((one) => {
                const id = `${one.partition}/${one.offset}`
                const toggle = (): void => setOpen(open === id ? undefined : id)
                return (
                  <Fragment key={id}>
                    <tr
                      tabIndex={0}
                      aria-expanded={open === id}
                      onClick={toggle}
                      onKeyDown={(event) => {
                        if (event.key === 'Enter') toggle()
                      }}
                    >
                      <th>{id}</th>
                      <td>{instant(one.timestamp)}</td>
                      <td>{brief(one.key)}</td>
                      <td class="long">{brief(one.value)}</td>
                    </tr>
                    {open === id && (
                      <tr class="detail">
                        <td colSpan={4}>
                          <Whole topic={topic.name} record={one} />
                        </td>
                      </tr>
                    )}
                  </Fragment>
                )
              })}
            </tbody>
          </table>
        </div>
      )}
    </section>
  )
}

/** A record with all of its value. */
function Whole({ topic, record }: { topic: string; record: TopicRecord }) {
  const { partition, offset } = record
  const path = `api/topics/${encodeURIComponent(topic)}/records?limit=1&partition=${partition}&from=${offset}`
  const { value } = useJson<{ records: readonly TopicRecord[] }>(path)
  return <Json value={value?.records[0] ?? record} />
}
