import type { EmbeddedLease } from '../../connectors/broker/index.ts'
import type { LogicalPlan } from '../../dsl/plan/index.ts'
import { type JsonRow, toJson } from '../../engine/query/index.ts'
import { type RowRequest, StoreReader } from './store-reader.ts'

/** The request by which another process asks a running app. */
export const requestOf = (app: string): string => `cli.query/${app}`

/** The request for the name of the app that a running command runs. */
export const appRequest = 'cli.app'

/** Lets other processes ask for an app's stores, as they were committed last. */
export function answerQueries(lease: EmbeddedLease, app: string, plan: LogicalPlan): Disposable {
  const reader = new StoreReader(plan, app, lease.backend)
  const handlers = [
    lease.handle(requestOf(app), (params) => jsonRows(reader, params as RowRequest)),
    lease.handle(appRequest, () => app),
  ]
  return {
    [Symbol.dispose]: () => {
      for (const handler of handlers) handler[Symbol.dispose]()
    },
  }
}

export async function jsonRows(reader: StoreReader, request: RowRequest): Promise<JsonRow[]> {
  const rows = await reader.query(request)
  return rows.map(({ key, value }) => ({ key: toJson(key), value: toJson(value) }))
}
