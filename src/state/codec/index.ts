export { asBuffer, firstBytes } from './bytes.ts'
export { copyValue } from './copy.ts'
export { readDouble } from './doubles.ts'
export { deepFreeze, type Fingerprint, fingerprint, sameFingerprint } from './freeze.ts'
export { hashId, hashKey, mix, sameKey } from './key-hash.ts'
export { compareKeys, compareText } from './key-order.ts'
export { KeyReader, readOrderedDouble } from './key-reader.ts'
export { tagNumber, tagString } from './key-tags.ts'
export { KeyWriter, writeOrderedDouble } from './key-writer.ts'
export {
  afterPrefix,
  decodeKey,
  decodeWholeKey,
  encodeKey,
  type KeyRange,
  keyId,
  keyPrefixRange,
  skipKey,
  writeKey,
} from './keys.ts'
export * as septets from './septet-types.ts'
export { septetHead, septetMark } from './septet-types.ts'
export { packSeptets, readStamp, unpackSeptets, viewSeptets } from './septets.ts'
export { ValueReader } from './value-reader.ts'
export { ValueWriter } from './value-writer.ts'
export { decodeValue, encodeValue, encodeValueInto, packStamped, unpackStamped, viewStamped } from './values.ts'
