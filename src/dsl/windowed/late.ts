import type { PlanDraft } from '../builder/draft.ts'
import { needFunction } from '../checks.ts'
import type { AnySerde, PlanNode } from '../plan/index.ts'
import { keyText } from '../serdes/key-text.ts'
import type { LateOptions, LateSink } from './types.ts'

interface Output {
  readonly sink: LateSink<any, any>
  readonly opts: LateOptions<any, any>
  taken: boolean
}

/**
 * Where late records go. Said before the aggregate exists: the first aggregate made takes it, since several over the
 * same windows have the same late records, and each must come out once.
 */
export class LateOutputs {
  private readonly outputs: readonly Output[]

  constructor(outputs: readonly Output[] = []) {
    this.outputs = outputs
  }

  with(sink: LateSink<any, any>, opts: LateOptions<any, any>): LateOutputs {
    if (typeof sink !== 'string') needFunction(sink, 'late output')
    return new LateOutputs([...this.outputs, { sink, opts, taken: false }])
  }

  /** @param of the aggregate or match whose late records they are; serdes: of its input */
  attach(draft: PlanDraft, of: PlanNode, serdes: { key?: AnySerde | undefined; value?: AnySerde | undefined }): void {
    for (const output of this.outputs) {
      if (output.taken) continue
      output.taken = true
      const { sink, opts } = output
      const base = draft.step('late', [of], opts.name)
      const key = opts.key ?? serdes.key ?? keyText
      const value = opts.value ?? serdes.value
      const late = draft.stream(draft.add({ ...base, kind: 'late', table: false, key, value }))
      if (typeof sink === 'string') late.to(sink)
      else sink(late)
    }
  }
}
