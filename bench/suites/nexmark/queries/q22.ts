import { reading } from '../query.ts'

export const q22 = reading(
  { bid: ['auction', 'bidder', 'price', 'channel', 'url'] },
  {
    summary: 'Folders of the URL of each bid',
    mode: 'append',
    rows: ({ bids }) =>
      bids.mapValues(({ auction, bidder, price, channel, url }) => {
        const [, , , dir1 = null, dir2 = null, dir3 = null] = url.split('/')
        return { auction, bidder, price, channel, dir1, dir2, dir3 }
      }),
  },
)
