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

/**
 * Cuts what a tail brings into lines. A last line without a line break counts when its file has ended.
 *
 * @param whole false: a line break does not end the record yet (inside of quotes)
 */
export async function* readLines(
  options: TailOptions,
  from: FilePosition | undefined,
  signal: AbortSignal,
  task: SourceTask,
): AsyncGenerator<Lines> {
  let splitter = new LineSplitter(1 << 18)
  for await (const { bytes, offset, begins, ends, caughtUp, at } of tail(options, from, signal, task)) {
    const start = offset - splitter.rest
    let used = 0
    const lines: Uint8Array[] = []
    const take = (buf: Buffer, a: number, b: number) => void lines.push(Uint8Array.prototype.slice.call(buf, a, b))
    const consumed = (whole: Buffer) => void (used += whole.length)
    splitter.push(bytes)
    splitter.take(take, consumed)
    if (ends) splitter.takeRest(take, consumed)
    if (lines.length > 0 || (caughtUp && used > 0))
      yield { lines, begins: begins || start === 0, position: await at(start + used), caughtUp }
    if (ends) splitter = new LineSplitter(1 << 18)
  }
}
