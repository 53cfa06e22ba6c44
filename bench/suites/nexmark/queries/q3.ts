import { reading } from '../query.ts'

const states = new Set(['or', 'id', 'ca'])

export const q3 = reading(
  { person: ['id', 'name', 'city', 'state'], auction: ['id', 'seller', 'category'] },
  {
    summary: 'Local items: auctions of category 10 whose seller lives in Oregon, Idaho or California',
    mode: 'update',
    rows({ auctions, persons }) {
      const sellers = persons
        .filter(({ state }) => states.has(state.toLowerCase()))
        .selectKey(({ id }) => id)
        .mapValues(({ name, city, state }) => ({ name, city, state }))
        .toTable()
      return auctions
        .filter(({ category }) => category === 10)
        .selectKey(({ id }) => id)
        .mapValues(({ seller }) => ({ seller }))
        .toTable()
        .join(
          sellers,
          ({ seller }) => seller,
          (_, person, id) => ({ ...person, id }),
        )
        .toStream()
    },
  },
)
