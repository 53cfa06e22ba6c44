import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import lz4 from 'lz4-napi'
import snappy from 'snappy'
import { DhaaraError } from '../../../errors/index.ts'

export type Codec = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
/** Their numbers in a batch's attributes are their places here. */
export const codecs: readonly Codec[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** What a library of Java's puts before snappy's blocks: this head, then blocks with a length of 4 bytes each. */
const xerial = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])
const xerialHead = 16

/** @throws DhaaraError DHAARA_KAFKA_CORRUPT */
export function decompress(codec: number, bytes: Buffer): Buffer {
  try {
    switch (codecs[codec]) {
      case 'none':
        return bytes
      case 'gzip':
        return gunzipSync(bytes, { chunkSize: guess(bytes) })
      case 'snappy':
        return bytes.subarray(0, 8).equals(xerial) ? fromXerial(bytes) : (snappy.uncompressSync(bytes) as Buffer)
      case 'lz4':
        return lz4.decompressFrameSync(bytes)
      case 'zstd':
        return zstdDecompressSync(bytes, { chunkSize: guess(bytes) })
      default:
    }
  } catch (cause) {
    throw new DhaaraError('DHAARA_KAFKA_CORRUPT', `${codecs[codec]} data could not be unpacked: ${cause}`, { cause })
  }
  throw new DhaaraError(
    'DHAARA_KAFKA_CORRUPT',
    `a record batch is packed with codec ${codec}; known are 0 to ${codecs.length - 1} (${codecs.join(', ')})`,
  )
}

export function compress(codec: Codec, bytes: Buffer): Buffer {
  switch (codec) {
    case 'none':
      return bytes
    case 'gzip':
      return gzipSync(bytes, { level: constants.Z_BEST_SPEED })
    case 'snappy':
      return toXerial(bytes)
    case 'lz4':
      return lz4.compressFrameSync(bytes)
    case 'zstd':
      return zstdCompressSync(bytes)
  }
}

const guess = (bytes: Buffer): number => Math.min(1 << 22, Math.max(1 << 14, bytes.length * 5))

function fromXerial(bytes: Buffer): Buffer {
  const blocks: Buffer[] = []
  for (let at = xerialHead; at < bytes.length; ) {
    const end = at + 4 + bytes.readInt32BE(at)
    if (end > bytes.length) throw new RangeError(`a block ends at ${end} of ${bytes.length}`)
    blocks.push(snappy.uncompressSync(bytes.subarray(at + 4, end)) as Buffer)
    at = end
  }
  return blocks.length === 1 ? (blocks[0] as Buffer) : Buffer.concat(blocks)
}

/** Kafka's own clients write it so, and some readers know nothing else. */
function toXerial(bytes: Buffer): Buffer {
  const head = Buffer.alloc(xerialHead)
  xerial.copy(head)
  head.writeInt32BE(1, 8)
  head.writeInt32BE(1, 12)
  const parts: Buffer[] = [head]
  for (let at = 0; at < bytes.length; at += 1 << 15) {
    const block = snappy.compressSync(bytes.subarray(at, at + (1 << 15)))
    const length = Buffer.allocUnsafe(4)
    length.writeInt32BE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}
