const rows = Array.from({ length: 1009 }, (_, i) => ({
  key: Buffer.from(`user-${i}`),
  value: Buffer.from(
    JSON.stringify({ customer: i, amount: i * 7, city: `city-${i % 20}`, note: 'x'.repeat(100 + (i % 50)) }),
  ),
}))

/** What every sink writes as its i-th row: bytes of 150 to 200. */
export const sinkRow = (i: number): { readonly key: Buffer; readonly value: Buffer } =>
  rows[i % rows.length] as { key: Buffer; value: Buffer }
