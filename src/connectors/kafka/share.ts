import type { Assigned, MemberOptions, RemoteTopic } from '../broker/remote.ts'

/** Ranges of a topic's partitions, as equal as can be, to members in the order of their names. */
export function shareEvenly(topic: string, { partitions }: RemoteTopic): MemberOptions['assign'] {
  return async (members) => {
    const names = members.map(({ member }) => member).sort()
    return names.map((member, i): Assigned => {
      const from = Math.ceil((i * partitions) / names.length)
      const to = Math.ceil(((i + 1) * partitions) / names.length)
      const own = Array.from({ length: to - from }, (_, n) => from + n)
      return {
        member,
        partitions: own.map((partition) => ({ topic, partition })),
        userData: Buffer.from(JSON.stringify(own)),
      }
    })
  }
}

export const decodePartitions = (userData: Buffer): number[] =>
  userData.length === 0 ? [] : (JSON.parse(userData.toString()) as number[])
