import type { SourceNode } from '../../../dsl/plan/index.ts'

/** The topics that a source reads, of those that exist. */
export function topicsOf(source: SourceNode, existing: readonly string[]): readonly string[] {
  const { topics } = source
  return topics instanceof RegExp ? existing.filter((topic) => topics.test(topic)).sort() : topics
}
