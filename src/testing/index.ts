export { TopologyTestDriver } from './driver.ts'
export type { DriverOptions, SendOptions, TestInput } from './options.ts'
export type { TestOutput } from './outputs.ts'
export type { DriverSnapshot } from './snapshot.ts'
