/** Doubles as 8 big-endian bytes, on machines that are little-endian. Half of what a Buffer's own calls cost is judging what they are given. */
const double = new Float64Array(1)
const eight = new Uint8Array(double.buffer)

/** @returns the place behind it */
export function writeDouble(buf: Uint8Array, at: number, value: number): number {
  double[0] = value
  buf[at] = eight[7] as number
  buf[at + 1] = eight[6] as number
  buf[at + 2] = eight[5] as number
  buf[at + 3] = eight[4] as number
  buf[at + 4] = eight[3] as number
  buf[at + 5] = eight[2] as number
  buf[at + 6] = eight[1] as number
  buf[at + 7] = eight[0] as number
  return at + 8
}

export function readDouble(buf: Uint8Array, at: number): number {
  for (let i = 0; i < 8; i++) eight[7 - i] = buf[at + i] as number
  return double[0] as number
}
