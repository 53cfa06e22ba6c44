/** What a run is to do, and what came of it. */

export interface RunSpec {
  /** Path of the workload file. */
  readonly workload: string
  readonly input: 'bytes' | 'objects' | 'parsed'
  readonly warmUp: number
  readonly records: number
  /** False: the clock stands still when the input has ended. */
  readonly endTimed?: boolean | undefined
}

export interface Outcome {
  readonly rows: number
  readonly checksum: string
}

export interface Measured extends Outcome {
  /** Timed records. */
  readonly records: number
  /** Rows that came out while they were timed. */
  readonly timedRows?: number
  /** Wall time of the timed part. */
  readonly seconds: number
  /** User and system time of all threads in the timed part. */
  readonly cpuSeconds: number
  /** Highest resident size of the whole process, MiB. */
  readonly peakRssMb: number
}
