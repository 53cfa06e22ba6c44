/** Kinds of steps that can keep their rows with their past, in a versioned store. */
export const keepsPast: ReadonlySet<string> = new Set([
  'source',
  'toTable',
  'filter',
  'mapValues',
  'tableJoin',
  'aggregate',
  'tableAggregate',
])
