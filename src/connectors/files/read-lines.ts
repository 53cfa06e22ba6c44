import type { SourceTask } from '../../dsl/connect/index.ts'
import type { FilePosition } from './identity.ts'
import { LineSplitter } from './lines.ts'
import { tail, type TailOptions } from './tail.ts'

/** Whole lines of a file, and the position behind them. */
export interface Lines {
  readonly lines: Uint8Array[]
  /** The first of them is the first of the file. */
  readonly begins: boolean
  readonly position: FilePosition
  readonly caughtUp: boolean
}

/** What cuts bytes into records. */
export type Splitter = Pick<LineSplitter, 'rest' | 'push' | 'take' | 'takeRest'>

const lineSplitter = (): Splitter => new LineSplitter(1 << 18)

/**
 * Cuts what a tail brings into lines. A last line without a line break counts when its file has ended.
 *
 * @param splitter cuts other records than lines
 */
export async function* readLines(
  options: TailOptions,
  from: FilePosition | undefined,
  signal: AbortSignal,
  task: SourceTask,
  splitter: () => Splitter = lineSplitter,
): AsyncGenerator<Lines> {
  let cutter = splitter()
  for await (const { bytes, offset, begins, ends, caughtUp, at } of tail(options, from, signal, task)) {
    const start = offset - cutter.rest
    let used = 0
    const lines: Uint8Array[] = []
    const take = (buf: Buffer, a: number, b: number) => void lines.push(Uint8Array.prototype.slice.call(buf, a, b))
    const consumed = (whole: Buffer) => void (used += whole.length)
    cutter.push(bytes)
    cutter.take(take, consumed)
    if (ends) cutter.takeRest(take, consumed)
    if (lines.length > 0 || (caughtUp && used > 0))
      yield { lines, begins: begins || start === 0, position: await at(start + used), caughtUp }
    if (ends) cutter = splitter()
  }
}
