import { arrowSinkInfo, arrowSourceInfo } from './arrow/index.ts'
import { csvInfo, jsonLinesInfo } from './files/index.ts'
import type { ConnectorInfo } from './options/index.ts'
import { postgresInfo } from './postgres/index.ts'
import { rxInfo } from './rx/source.ts'
import { webhookSinkInfo, webhookSourceInfo } from './webhook/index.ts'

/** All connectors that come with dhaara, those of `dhaara/rx` among them. */
export const connectors: readonly ConnectorInfo[] = [
  ...jsonLinesInfo,
  ...csvInfo,
  arrowSourceInfo,
  arrowSinkInfo,
  ...postgresInfo,
  ...rxInfo,
  webhookSourceInfo,
  webhookSinkInfo,
]
