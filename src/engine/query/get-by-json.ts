import type { KeysFromJson } from './typed-key.ts'

export interface FoundRow {
  readonly key: unknown
  /** undefined, or an empty list: there is none. */
  readonly value: unknown
}

/**
 * The row of a key that came as JSON: as the text or number that it is, as what the first row has, then as what else it may be.
 * @throws as `KeysFromJson.typed` and `get`
 */
export async function getByJson(
  keys: KeysFromJson,
  json: unknown,
  get: (key: unknown) => Promise<unknown>,
): Promise<FoundRow> {
  const ask = async (key: unknown): Promise<FoundRow> => ({ key, value: await get(key) })
  const likely = keys.likely(json)
  const found = likely.length === 1 ? await ask(likely[0]) : firstThere(await Promise.all(likely.map(ask)))
  if (isThere(found)) return found
  const others = keys.others(json)
  return others.length === 0 ? found : firstThere([...(await Promise.all(others.map(ask))), found])
}

/**
 * The values of several, all of one moment: where not all are there as what they most likely are, all are asked for again.
 * @throws as `KeysFromJson.typed` and `getMany`
 */
export async function getManyByJson(
  keys: KeysFromJson,
  json: readonly unknown[],
  getMany: (keys: readonly unknown[]) => Promise<unknown[]>,
): Promise<unknown[]> {
  const likely = await rowsOf(json.map(keys.likely), getMany)
  const all = likely.every((row, i) => isThere(row) || keys.others(json[i]).length === 0)
  const rows = all
    ? likely
    : await rowsOf(
        json.map((one) => [...keys.likely(one), ...keys.others(one)]),
        getMany,
      )
  return rows.map(({ value }) => value)
}

async function rowsOf(
  meanings: readonly (readonly unknown[])[],
  getMany: (keys: readonly unknown[]) => Promise<unknown[]>,
): Promise<FoundRow[]> {
  const values = await getMany(meanings.flat())
  let at = 0
  return meanings.map((keys) => firstThere(keys.map((key) => ({ key, value: values[at++] }))))
}

/** Else the last one. */
const firstThere = (rows: readonly FoundRow[]): FoundRow => rows.at(rows.findIndex(isThere)) as FoundRow

const isThere = ({ value }: FoundRow): boolean => value !== undefined && !(Array.isArray(value) && value.length === 0)
