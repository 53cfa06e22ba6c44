/** The table of `table-join`: one row for each customer of the uniform orders. */
export interface Customer {
  readonly customer: number
  readonly name: string
  readonly tier: 'gold' | 'silver' | 'plain'
}

export const customerCount = 10_000

/** Row `customer`, 0..9999; the same everywhere. */
export function customerRow(customer: number): Customer {
  const tier = customer % 20 === 0 ? 'gold' : customer % 5 === 0 ? 'silver' : 'plain'
  return { customer, name: `Customer ${customer.toString(36)}`, tier }
}
