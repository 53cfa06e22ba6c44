import { StoreIds } from '../../engine/app/state/identity.ts'
import type { Backend } from '../../state/backend.ts'
import { statePrefix } from '../../state/stores/index.ts'
import { ownStores } from '../input/progress.ts'

/** Where an app's topology is, so that its stores can be read when it does not run. */
export interface AppRow {
  /** file: URL */
  readonly module: string
  readonly settings: Readonly<Record<string, string>>
}

/** What was run on a directory: a row an app. */
export class AppRows {
  readonly #backend: Backend
  readonly #prefix: Buffer

  /** To be made before an app starts on the directory, since it may take an id for its rows. */
  constructor(backend: Backend) {
    this.#backend = backend
    this.#prefix = statePrefix(new StoreIds(backend, ownStores).idOf('apps'), 0)
  }

  get(app: string): AppRow | undefined {
    const row = this.#backend.get(this.#key(app))
    return row === undefined ? undefined : (JSON.parse(Buffer.from(row).toString()) as AppRow)
  }

  put(app: string, row: AppRow): void {
    const batch = this.#backend.batch()
    batch.put(this.#key(app), Buffer.from(JSON.stringify(row)))
    batch.commit()
  }

  delete(app: string): void {
    const batch = this.#backend.batch()
    batch.delete(this.#key(app))
    batch.commit()
  }

  #key(app: string): Buffer {
    return Buffer.concat([this.#prefix, Buffer.from(app)])
  }
}
