export { joinWindowVault, windowVault } from './content.ts'
export { emitSpec, every } from './every.ts'
export { joinWindows } from './join-windows.ts'
export type {
  EmitMode,
  Endless,
  Every,
  JoinWindows,
  JoinWindowsWithoutGrace,
  WallClockWindow,
  Window,
  Windowed,
  WindowFactory,
  WindowKind,
  WindowOptions,
  Windows,
  WindowsWithoutGrace,
} from './types.ts'
export { windows } from './windows.ts'
