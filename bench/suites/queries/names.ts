/** Apart, so that a client need not load what it asks. */
export const topic = 'orders'
export const store = 'totals'

export const nameOf = (key: number): string => `customer-${String(key).padStart(7, '0')}`
