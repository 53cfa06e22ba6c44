import type { Bid } from '../events.ts'
import { reading } from '../query.ts'

const known = new Map([
  ['apple', '0'],
  ['google', '1'],
  ['facebook', '2'],
  ['baidu', '3'],
])
const inUrl = /(?:&|^)channel_id=([^&]*)/

export const q21 = reading(
  { bid: ['auction', 'bidder', 'price', 'channel', 'url'] },
  {
    summary: 'Channel id of each bid, from its channel or its URL',
    mode: 'append',
    rows: ({ bids }) =>
      bids.flatMapValues((bid) => {
        const channelId = channelOf(bid)
        if (channelId === undefined) return []
        const { auction, bidder, price, channel } = bid
        return [{ auction, bidder, price, channel, channelId }]
      }),
  },
)

const channelOf = ({ channel, url }: Pick<Bid, 'channel' | 'url'>): string | undefined =>
  known.get(channel.toLowerCase()) ?? inUrl.exec(url)?.[1]
