/**
 * Values are MessagePack, so that any MessagePack library reads what plain data gives. JavaScript's other types lie in extensions:
 *
 *     undefined      ext 00, one zero byte
 *     Date           the timestamp extension (type -1, 32, 64 or 96 bits); invalid: ext 'd', one zero byte
 *     bigint         int 64 or uint 64 if it is no safe integer and fits; else ext 'B': a sign byte, the big-endian magnitude
 *     Map, Set       ext 'M', 'S': the entries one after the other
 *     Uint8Array     bin
 *     typed arrays   ext 't': a byte for the class, then the elements, little-endian; ArrayBuffer too
 *
 * Integers of 32 bits are ints, all other numbers doubles (-0 too). 64-bit ints of others are numbers where safe, else bigints.
 */
export const extUndefined = 0x00
export const extInvalidDate = 0x64
export const extBigint = 0x42
export const extMap = 0x4d
export const extSet = 0x53
export const extArray = 0x74
export const extTimestamp = 0xff

/** Deeper values are taken for cyclic ones. */
export const deepestValue = 500

/** The class byte of a typed array is its place here. */
export const arrayClasses = [
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
] as const
export const arrayBufferClass = 0x7f
