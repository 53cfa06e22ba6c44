/** A region is named after its centre. Pune has no viewers of its own: it takes what spills over. */
export const REGIONS = ['bangalore', 'delhi', 'hyderabad', 'kolkata', 'mumbai', 'pune'] as const
export type Region = (typeof REGIONS)[number]

export type ByRegion = Readonly<Record<Region, number>>

const regionOfCity: Readonly<Record<string, Region>> = {
  mumbai: 'mumbai',
  pune: 'mumbai',
  nashik: 'mumbai',
  delhi: 'delhi',
  gurgaon: 'delhi',
  noida: 'delhi',
  bangalore: 'bangalore',
  mysore: 'bangalore',
  mangalore: 'bangalore',
  hyderabad: 'hyderabad',
  vijayawada: 'hyderabad',
  kolkata: 'kolkata',
  bhubaneswar: 'kolkata',
}

/** Whoever is nowhere in particular is served from Mumbai. */
export const regionOf = (location: string): Region =>
  Object.hasOwn(regionOfCity, location) ? (regionOfCity[location] as Region) : 'mumbai'

export const noDemand: ByRegion = { bangalore: 0, delhi: 0, hyderabad: 0, kolkata: 0, mumbai: 0, pune: 0 }

/** Viewers that a centre takes: 85 % of its capacity. */
export const limits: ByRegion = {
  mumbai: 6_800_000,
  delhi: 5_100_000,
  bangalore: 4_250_000,
  hyderabad: 2_550_000,
  pune: 2_125_000,
  kolkata: 1_700_000,
}

const nearest: Readonly<Record<Region, readonly Region[]>> = {
  mumbai: ['pune', 'hyderabad', 'bangalore', 'delhi', 'kolkata'],
  delhi: ['mumbai', 'pune', 'hyderabad', 'kolkata', 'bangalore'],
  bangalore: ['hyderabad', 'pune', 'mumbai', 'kolkata', 'delhi'],
  hyderabad: ['bangalore', 'pune', 'mumbai', 'kolkata', 'delhi'],
  kolkata: ['hyderabad', 'delhi', 'bangalore', 'pune', 'mumbai'],
  pune: ['mumbai', 'hyderabad', 'bangalore', 'delhi', 'kolkata'],
}

export interface Routing {
  readonly assigned: ByRegion
  readonly spilled: readonly { readonly from: Region; readonly to: Region; readonly viewers: number }[]
  /** What fits nowhere. */
  readonly unplaced: number
}

/** Every region first serves its own; then, in the order of their names, what is too much for one goes to the nearest with room. */
export function route(demand: ByRegion): Routing {
  const assigned = { ...noDemand }
  for (const region of REGIONS) assigned[region] = Math.min(demand[region], limits[region])
  const spilled: { from: Region; to: Region; viewers: number }[] = []
  let unplaced = 0
  for (const from of REGIONS) {
    let left = demand[from] - Math.min(demand[from], limits[from])
    for (const to of nearest[from]) {
      const viewers = Math.min(left, limits[to] - assigned[to])
      if (viewers === 0) continue
      assigned[to] += viewers
      left -= viewers
      spilled.push({ from, to, viewers })
    }
    unplaced += left
  }
  return { assigned, spilled, unplaced }
}
