import { windows } from '../../../../src/index.ts'
import type { Person } from '../events.ts'
import { reading } from '../query.ts'

interface Arrival {
  person: Pick<Person, 'name'> | null
  opened: boolean
}

export const q8 = reading(
  { person: ['id', 'name'], auction: ['seller'] },
  {
    summary: 'Monitor new users: persons who opened an auction in the 10 s in which they came',
    mode: 'append',
    rows: ({ persons, auctions }) =>
      persons
        .groupBy(({ id }) => id)
        .cogroup<Arrival>(
          () => ({ person: null, opened: false }),
          ({ opened }, person) => ({ person, opened }),
        )
        .cogroup(
          auctions.groupBy(({ seller }) => seller),
          ({ person }) => ({ person, opened: true }),
        )
        .windowedBy(windows.tumbling('10s').noGrace())
        .emit('close')
        .aggregate()
        .toStream()
        .flatMapValues(({ person, opened }, { key, window }) =>
          person !== null && opened ? [{ id: key, name: person.name, starttime: window.start }] : [],
        ),
  },
)
