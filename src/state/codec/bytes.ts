/** The same bytes as a Buffer, without copying. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** The first bytes in hexadecimal, for error messages. */
export function firstBytes(bytes: Uint8Array, start = 0, end = bytes.length): string {
  const shown = asBuffer(bytes)
    .subarray(start, Math.min(end, start + 16))
    .toString('hex')
  return end - start > 16 ? `${shown}...` : shown
}
