export {}

declare global {
  interface Buffer {
    /** Of Node since 0.10: `toString('latin1')` without finding out the encoding. */
    latin1Slice(start?: number, end?: number): string
    utf8Slice(start?: number, end?: number): string
    hexSlice(start?: number, end?: number): string
    utf8Write(text: string, offset: number, length?: number): number
  }
}
