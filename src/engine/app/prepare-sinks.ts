import type { PhysicalPlan } from '../plan/physical.ts'

/** What serdes have to ask for before the first record goes to a topic. @throws what refuses the start */
export async function prepareSinks({ logical }: PhysicalPlan): Promise<void> {
  await Promise.all(
    logical.nodes.flatMap((node) => {
      if (node.kind !== 'sink' || typeof node.topic !== 'string') return []
      return [node.key?.prepareToWrite?.(node.topic), node.value?.prepareToWrite?.(node.topic)]
    }),
  )
}
