/**
 * Frames that are compressed, with Zstandard: behind a head as of any frame, which tells offsets and times, lies the whole frame.
 * Its own head is not used, but makes room for the other one where it is decompressed.
 */
import { constants, crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { frameMagic, headBytes, packedMagic } from './frame-layout.ts'

/** Records that repeat each other come to a sixth at 1.2 GB/s; level 1 makes it a ninth at 0.9. */
const quick = { [constants.ZSTD_c_compressionLevel]: -3 }

export const isPacked = (frame: Buffer): boolean => frame.readUInt32LE(0) === packedMagic

/** Bytes of the frame as it was before it was compressed. */
export const framePlainBytes = (frame: Buffer): number => (isPacked(frame) ? frame.readUInt32LE(56) : frame.length)

/** Writes the checksum of the records as they stand, where the builder was not asked for it. */
export function sumRecords(frame: Buffer): void {
  frame.writeUInt32LE(crc32(frame.subarray(headBytes)), 8)
}

/**
 * The frame compressed and summed, or undefined where that does not make it `least` times smaller.
 *
 * @param take gives memory of so many bytes at least
 */
export function packFrame(
  frame: Buffer,
  least: number,
  take: (bytes: number) => ArrayBuffer,
): Buffer<ArrayBuffer> | undefined {
  const most = Math.floor(frame.length / least)
  // a chunk that is never full: one more would be made for nothing
  const whole = zstdCompressSync(frame, { params: quick, chunkSize: most + headBytes })
  if (whole.length > most) return undefined
  const size = headBytes + whole.length
  const packed = Buffer.from(take(size), 0, size)
  frame.copy(packed, 0, 0, headBytes)
  packed.writeUInt32LE(packedMagic, 0)
  packed.writeUInt32LE(size, 20)
  packed.writeUInt32LE(frame.length, 56)
  whole.copy(packed, headBytes)
  sumRecords(packed)
  return packed
}

/** A sound frame as it was before it was compressed, without checksums; one that is not compressed is given back. */
export function unpackFrame(frame: Buffer): Buffer {
  if (!isPacked(frame)) return frame
  const size = framePlainBytes(frame)
  const plain = zstdDecompressSync(frame.subarray(headBytes), { chunkSize: size + headBytes })
  frame.copy(plain, 0, 0, headBytes)
  plain.writeUInt32LE(frameMagic, 0)
  plain.writeUInt32LE(size, 20)
  return plain
}
