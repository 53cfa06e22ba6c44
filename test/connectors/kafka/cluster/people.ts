/** Rows that move from city to city, with indexes. */
import { serdes, StreamsBuilder, type Topology, type TopologyEnv } from '../../../../src/index.ts'

export interface Person {
  readonly city: string
  readonly n: number
}

export type Indexes = Readonly<Record<string, (person: Person) => string>>

export function people(app: string, indexes: Indexes = { byCity: (person) => person.city }): Topology {
  const builder = new StreamsBuilder()
  builder.table<string, Person>(`${app}.orders`, {
    key: serdes.string(),
    value: serdes.json<Person>(),
    store: { name: 'people', indexes },
  })
  return builder.build()
}

export default ({ settings }: TopologyEnv): Topology => people(settings['app'] as string)
