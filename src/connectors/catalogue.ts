import { csvInfo, jsonLinesInfo } from './files/index.ts'
import type { ConnectorInfo } from './options/index.ts'
import { postgresInfo } from './postgres/index.ts'
import { webhookSinkInfo, webhookSourceInfo } from './webhook/index.ts'

/** All connectors that come with dhaara, but those of `dhaara/rx`, which has its own list. */
export const connectors: readonly ConnectorInfo[] = [
  ...jsonLinesInfo,
  ...csvInfo,
  ...postgresInfo,
  webhookSourceInfo,
  webhookSinkInfo,
]
