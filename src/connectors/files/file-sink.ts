/**
 * A file that has each committed record once. What is written lies behind the committed length; a small file beside it
 * (`.NAME.dhaara`) says how long the committed part is, and of which epoch. After a crash the file is cut to that length, or,
 * if the epoch was decided and not yet noted, taken as it is.
 *
 *     |  epochs 1 … e, committed  |  epoch e + 1, being written  |
 *     0                           length                         size
 */
import { existsSync } from 'node:fs'
import { type FileHandle, mkdir, open, readFile, rename, unlink } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import type { Sink, SinkBatch, SinkTask } from '../../dsl/connect/index.ts'
import { DhaaraError } from '../../errors/index.ts'

export interface FileSinkOptions {
  readonly path: string
  readonly existing: 'fail' | 'replace' | 'append'
  readonly rollBytes: number | undefined
  readonly sync: boolean
  /** What a file begins with. */
  readonly head?: Buffer | undefined
  /** The bytes of a batch's records, line breaks included. */
  encode(batch: SinkBatch<any, any>): Buffer
}

interface Note {
  /** Which life of the job's state: epochs of another one mean other records. */
  readonly job: string
  readonly epoch: number
  readonly length: number
}

export class FileSink implements Sink<any, any> {
  private readonly options: FileSinkOptions
  private readonly connector: string
  private path = ''
  private notePath = ''
  private file: FileHandle | undefined
  private size = 0
  private note: Note = { job: '', epoch: 0, length: 0 }
  private job = ''

  constructor(connector: string, options: FileSinkOptions) {
    this.connector = connector
    this.options = options
  }

  async open(task: SinkTask): Promise<void> {
    this.job = task.incarnation
    this.path = pathOf(this.connector, this.options.path, task)
    this.notePath = join(dirname(this.path), `.${basename(this.path)}.dhaara`)
    await mkdir(dirname(this.path), { recursive: true })
  }

  /** Cuts the file to what was committed up to `epoch`. */
  async recover(epoch: number): Promise<void> {
    await this.file?.close()
    this.file = undefined
    const note = await this.readNote()
    if (epoch === 0) await this.begin(note)
    else if (note === undefined || note.epoch > epoch || note.job !== this.job) throw this.foreign(note, epoch)
    await this.openFile()
    const known = epoch === 0 ? this.note : (note as Note)
    const rolled = known.length > 0 && this.size === 0 && existsSync(this.rolledPath(known.epoch))
    // an epoch that was decided is there as a whole, and nothing behind it
    const length = rolled ? 0 : known.epoch === epoch ? known.length : this.size
    if (length > this.size) throw this.shorter(length)
    await (this.file as unknown as FileHandle).truncate(length)
    this.size = length
    await this.putHead()
    await this.writeNote({ job: this.job, epoch, length: this.size }, true)
  }

  async write(batch: SinkBatch<any, any>): Promise<void> {
    await this.roll()
    const { sync } = this.options
    const file = this.file as FileHandle
    const bytes = this.options.encode(batch)
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await file.write(bytes, done, bytes.length - done, this.size)
      done += bytesWritten
      this.size += bytesWritten
    }
    if (batch.last && sync) await file.datasync()
  }

  async commit(epoch: number): Promise<void> {
    await this.writeNote({ job: this.job, epoch, length: this.size })
  }

  /** Bytes behind what was committed, which are cut off when writing goes on. */
  async finish(bytes: Buffer): Promise<void> {
    if (this.file !== undefined && this.size === this.note.length)
      await this.file.write(bytes, 0, bytes.length, this.size)
  }

  async close(): Promise<void> {
    await this.file?.close()
    this.file = undefined
  }

  /** A committed file that is large enough gets its final name. */
  private async roll(): Promise<void> {
    const { rollBytes } = this.options
    const { epoch, length } = this.note
    if (rollBytes === undefined || length < rollBytes || this.size !== length) return
    await this.file?.close()
    await rename(this.path, this.rolledPath(epoch))
    await this.openFile()
    await this.putHead()
    await this.writeNote({ job: this.job, epoch, length: this.size })
  }

  private rolledPath(epoch: number): string {
    const ext = extname(this.path)
    return `${this.path.slice(0, this.path.length - ext.length)}-${String(epoch).padStart(9, '0')}${ext}`
  }

  /** The job has written nothing yet. */
  private async begin(note: Note | undefined): Promise<void> {
    const { existing } = this.options
    this.note = { job: this.job, epoch: 0, length: 0 }
    if (!existsSync(this.path)) return
    const file = await open(this.path)
    const { size } = await file.stat()
    await file.close()
    // what a run that got no further left behind is its own
    if (size === 0 || (note?.epoch === 0 && note.job === this.job)) {
      this.note = { job: this.job, epoch: 0, length: Math.min(size, note?.length ?? 0) }
      return
    }
    if (existing === 'append') this.note = { job: this.job, epoch: 0, length: size }
    else if (existing === 'replace') await unlink(this.path)
    else {
      throw new DhaaraError(
        'DHAARA_OPTION',
        `${this.connector}: ${this.path} is there already, and this job has written nothing yet; move it away, or say {existing: 'replace'} or {existing: 'append'}`,
      )
    }
  }

  private async openFile(): Promise<void> {
    this.file = await open(this.path, existsSync(this.path) ? 'r+' : 'w+')
    this.size = (await this.file.stat()).size
  }

  private async putHead(): Promise<void> {
    const { head } = this.options
    if (head === undefined || this.size > 0) return
    await (this.file as FileHandle).write(head, 0, head.length, 0)
    this.size = head.length
  }

  private async readNote(): Promise<Note | undefined> {
    try {
      return JSON.parse(await readFile(this.notePath, 'utf8')) as Note
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  /** Replaces it as a whole. */
  private async writeNote(note: Note, always = false): Promise<void> {
    if (!always && note.epoch === this.note.epoch && note.length === this.note.length) return
    const partial = `${this.notePath}.new`
    const file = await open(partial, 'w')
    try {
      await file.write(`${JSON.stringify(note)}\n`)
      if (this.options.sync) await file.datasync()
    } finally {
      await file.close()
    }
    await rename(partial, this.notePath)
    this.note = note
  }

  private foreign(note: Note | undefined, epoch: number): DhaaraError {
    const found =
      note === undefined
        ? 'no note of what was committed'
        : `epoch ${note.epoch}${note.job === this.job ? '' : ' of another job, or of this one before it was reset,'}`
    return new DhaaraError(
      'DHAARA_SINK_STATE',
      `${this.connector}: found ${found} beside ${this.path}, and the job's state is at epoch ${epoch}: file and state do not belong together. Put back the file or the state, or write elsewhere`,
    )
  }

  private shorter(length: number): DhaaraError {
    return new DhaaraError(
      'DHAARA_SINK_STATE',
      `${this.connector}: ${this.path} has ${this.size} bytes, and ${length} were committed: somebody has cut it. Put it back, or write elsewhere`,
    )
  }
}

function pathOf(connector: string, path: string, { partition, partitions, name }: SinkTask): string {
  if (path.includes('{partition}')) return path.replaceAll('{partition}', String(partition))
  if (partitions === 1) return path
  throw new DhaaraError(
    'DHAARA_OPTION',
    `${connector}: ${path} is one file, and the sink '${name}' has ${partitions} tasks; put {partition} into the path, or .repartition({partitions: 1}) before the sink`,
  )
}
