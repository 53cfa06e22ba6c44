/** Dollars to euros at 0.908, as a decimal of three places: exact, by whole thousandths. */
export function euros(price: number): string {
  const thousandths = BigInt(price) * 908n
  return `${thousandths / 1000n}.${String(thousandths % 1000n).padStart(3, '0')}`
}
