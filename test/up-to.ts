/** 0, 1, … n - 1: values by which a test tells what came, and how often. */
export const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i)
