import { Component } from 'preact'
import type { GraphNode } from '../../../src/http/live/types.ts'
import { heat } from '../lib/heat.ts'
import { percent, rate, short } from '../lib/format.ts'
import type { StepRate } from '../lib/live.ts'
import { cardHeight, cardWidth, type PlacedNode } from './layout.ts'

const words: Readonly<Record<string, string>> = {
  source: 'source',
  sink: 'sink',
  mapValues: 'map',
  selectKey: 'key by',
  flatMapValues: 'flat map',
  flatMap: 'flat map',
  streamTableJoin: 'join table',
  streamJoin: 'join',
  tableJoin: 'join',
  streamGlobalJoin: 'join global',
  foreignJoin: 'join',
  foreignSend: 'foreign key',
  foreignLookup: 'look up',
  tableGroup: 'regroup',
  tableAggregate: 'aggregate',
  mapAsync: 'async',
  match: 'pattern',
  forEach: 'for each',
  transformValues: 'transform',
  repartitionWrite: 'send',
  repartitionRead: 'receive',
  toTable: 'table',
  partial: 'first phase',
}

export const wordOf = (kind: string): string => words[kind] ?? kind

export interface CardProps {
  readonly node: GraphNode
  readonly title: string
  readonly placed: PlacedNode
  readonly step: StepRate | undefined
  readonly rows: number | undefined
  readonly chosen: boolean
  readonly faint: boolean
  readonly blocked: boolean
  readonly choose: (id: number) => void
}

/** Made anew only when something of it has changed: of a hundred cards, going from step to step changes a few. */
export class NodeCard extends Component<CardProps> {
  override shouldComponentUpdate(next: CardProps): boolean {
    return differ(this.props, next)
  }

  override render(props: CardProps) {
    return <Card {...props} />
  }
}

function differ(before: CardProps, now: CardProps): boolean {
  for (const name in now) if (before[name as keyof CardProps] !== now[name as keyof CardProps]) return true
  return false
}

function Card({ node, title, placed, step, rows, chosen, faint, blocked, choose }: CardProps) {
  const { id, name, kind, stores } = node
  const busy = step?.busy ?? 0
  const flow = step === undefined ? 0 : kind === 'sink' ? step.in : kind === 'source' ? step.in : step.out
  const lost = Object.values(step?.dropped ?? {}).reduce((sum, n) => sum + n, 0)
  const marks = [`kind-${kind}`, chosen ? 'chosen' : '', faint ? 'faint' : '', blocked ? 'blocked' : '']
  return (
    <button
      type="button"
      class={`card ${marks.join(' ')}`}
      style={{
        transform: `translate(${placed.x}px, ${placed.y}px)`,
        width: `${cardWidth}px`,
        height: `${cardHeight}px`,
        '--heat': heat(busy),
        '--busy': `${Math.min(100, Math.round(busy * 100))}%`,
      }}
      data-step={name}
      aria-pressed={chosen}
      aria-label={`${name}, ${wordOf(kind)}: ${rate(flow)} records a second, busy ${percent(busy)}`}
      onClick={() => choose(id)}
    >
      <span class="card-name" title={name}>
        {title}
      </span>
      <span class="card-foot">
        <span class="card-kind">{wordOf(kind)}</span>
        {stores.length > 0 && <span class="card-store">{rows === undefined ? '' : short(rows)}</span>}
        {lost > 0 && <span class="card-lost">−{short(lost)}</span>}
        <span class="card-rate">
          {rate(flow)}
          <small>/s</small>
        </span>
      </span>
      <span class="card-busy">
        <span />
      </span>
    </button>
  )
}
