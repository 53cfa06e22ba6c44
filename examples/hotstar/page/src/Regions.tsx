import { type ByRegion, limits, REGIONS, type Region, route } from '../../regions.ts'
import { spoken, titled } from './format.ts'

/** What each centre is asked for, what it takes, and where the rest goes. */
export function Regions({ demand }: { readonly demand: ByRegion }) {
  const { assigned, spilled, unplaced } = route(demand)
  const most = Math.max(...REGIONS.map((region) => Math.max(demand[region], limits[region])))
  const share = (n: number): string => `${(n / most) * 100}%`
  const from = (region: Region): string =>
    spilled
      .filter((spill) => spill.from === region)
      .map(({ to, viewers }) => `${titled(to)} ${spoken(viewers)}`)
      .join(', ')
  return (
    <section class="regions">
      <h2>
        Centres <small>{unplaced > 0 ? <em>{spoken(unplaced)} without a place</em> : 'everybody has a place'}</small>
      </h2>
      <ul>
        {REGIONS.map((region) => (
          <li key={region} data-region={region} class={demand[region] > limits[region] ? 'over' : ''}>
            <b>{titled(region)}</b>
            <span class="load">
              <i class="own" style={{ width: share(Math.min(demand[region], limits[region])) }} />
              <i
                class="guests"
                style={{
                  left: share(Math.min(demand[region], limits[region])),
                  width: share(Math.max(0, assigned[region] - Math.min(demand[region], limits[region]))),
                }}
              />
              <i
                class="beyond"
                style={{ left: share(limits[region]), width: share(Math.max(0, demand[region] - limits[region])) }}
              />
              <i class="limit" style={{ left: share(limits[region]) }} />
            </span>
            <span class="figure">{spoken(demand[region])}</span>
            <small>{from(region) === '' ? `takes ${spoken(limits[region])}` : `spills to ${from(region)}`}</small>
          </li>
        ))}
      </ul>
    </section>
  )
}
