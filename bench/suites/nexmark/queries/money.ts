/** Dollars to euros at 0.908, as a decimal of three places: exact, by whole thousandths. */
export function euros(price: number): string {
  const thousandths = price * 908
  if (!Number.isSafeInteger(thousandths)) return eurosOfBig(BigInt(price))
  const whole = Math.trunc(thousandths / 1000)
  return `${whole}.${String(thousandths - whole * 1000).padStart(3, '0')}`
}

function eurosOfBig(price: bigint): string {
  const thousandths = price * 908n
  return `${thousandths / 1000n}.${String(thousandths % 1000n).padStart(3, '0')}`
}
