export { type DriverOptions, type SendOptions, type TestInput, TopologyTestDriver } from './driver.ts'
export type { TestOutput } from './outputs.ts'
export type { DriverSnapshot } from './snapshot.ts'
