import type { EmitSpec, JoinWindowSpec, WindowSpec } from '../plan/index.ts'
import { Vault } from '../vault.ts'

/** Behind the opaque objects that the factories hand out. */
export const windowVault = new Vault<WindowSpec>(
  "windows with a grace, for example windows.tumbling('1h').grace('5m') or .noGrace()",
)
export const joinWindowVault = new Vault<JoinWindowSpec>(
  "join windows with a grace, for example joinWindows.of('10m').grace('1m') or .noGrace()",
)
export const everyVault = new Vault<EmitSpec>("'update', 'close', 'onTime' or every('1m')")
