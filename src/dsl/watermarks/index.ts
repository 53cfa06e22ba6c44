export type { WatermarkFactory, WatermarkStrategy } from './types.ts'
export { watermarkSpec, watermarks } from './watermarks.ts'
