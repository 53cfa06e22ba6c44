import { DhaaraError } from '../../errors/index.ts'

export type AppState =
  | 'created'
  | 'starting'
  | 'restoring'
  | 'running'
  | 'rebalancing'
  | 'closing'
  | 'closed'
  | 'failed'

/**
 * Life of an app:
 *
 *     created ─▶ starting ─▶ restoring ─▶ running ◀─▶ rebalancing
 *        │          │            │           │             │
 *        │          ├────────────┴───────────┴──────┬──────┤
 *        ▼          ▼                               ▼      ▼
 *      closed ◀── closing ─────────────────────▶ failed
 *
 * `rebalancing`: a worker died, or tasks move; tasks are put back to the last checkpoint.
 */
const edges: Readonly<Record<AppState, readonly AppState[]>> = {
  created: ['starting', 'closed'],
  starting: ['restoring', 'closing', 'failed'],
  restoring: ['running', 'closing', 'failed'],
  running: ['rebalancing', 'closing', 'failed'],
  rebalancing: ['running', 'closing', 'failed'],
  closing: ['closed', 'failed'],
  closed: [],
  failed: [],
}

export class Lifecycle {
  private current: AppState = 'created'
  private readonly told: (from: AppState, to: AppState) => void

  constructor(told: (from: AppState, to: AppState) => void) {
    this.told = told
  }

  get state(): AppState {
    return this.current
  }

  is(...states: AppState[]): boolean {
    return states.includes(this.current)
  }

  /** @throws DhaaraError DHAARA_APP_STATE on an edge that the table does not have */
  transition(to: AppState): void {
    const from = this.current
    if (!edges[from].includes(to)) {
      throw new DhaaraError(
        'DHAARA_APP_STATE',
        `an app that is '${from}' cannot become '${to}'; from here it can become: ${edges[from].join(', ') || 'nothing'}`,
      )
    }
    this.current = to
    this.told(from, to)
  }
}
