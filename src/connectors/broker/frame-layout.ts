/** What a frame begins with; frame.ts draws it. */
export const frameMagic = 0x31464844
/** ... and one whose records are compressed. */
export const packedMagic = 0x315a4844
export const headBytes = 64
export const flagHeaders = 1
export const flagGaps = 2
