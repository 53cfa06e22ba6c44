/**
 * Topic partitions that records come from, numbered in the order in which this thread first hears of them: what travels
 * with each record behind a repartition is a number and an offset, so that an error there can name the source record.
 */
export interface Place {
  readonly topic: string
  readonly partition: number
}

/** What time makes comes from no record. */
export const nowhere = -1

const places: Place[] = []
const numbers = new Map<string, number>()

export function placeOf(topic: string, partition: number): number {
  const name = `${topic}/${partition}`
  const known = numbers.get(name)
  if (known !== undefined) return known
  numbers.set(name, places.length)
  return places.push({ topic, partition }) - 1
}

export const placeAt = (number: number): Place | undefined => places[number]

/** Places as they are told to another thread, or kept: names of topics have neither of the two marks. */
export const placeNames = (ids: readonly number[]): Buffer =>
  Buffer.from(ids.map((id) => (id < 0 ? '' : `${places[id]?.topic}/${places[id]?.partition}`)).join('\n'), 'latin1')

const read = new Map<string, readonly number[]>()

/** Numbers that the places of another thread have here. */
export function placesNamed(names: string): readonly number[] {
  let ids = read.get(names)
  if (ids === undefined) {
    ids = names.split('\n').map((name) => {
      const slash = name.lastIndexOf('/')
      return slash < 0 ? nowhere : placeOf(name.slice(0, slash), Number(name.slice(slash + 1)))
    })
    // lists of several places may be many
    if (read.size < 4096) read.set(names, ids)
  }
  return ids
}
