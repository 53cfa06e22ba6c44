/**
 * Consumers in this process that share a topic's partitions.
 *
 * Partition p belongs to member p mod n. It changes hands when its old holder lets go of it, which it does between two
 * records: until then the new one waits, so no record is worked on by both.
 */
export interface GroupMember {
  /** Something may have come free, or is to be let go. */
  wake(): void
}

export class ConsumerGroup {
  readonly #partitions: number
  readonly #members: GroupMember[] = []
  readonly #holders = new Map<number, GroupMember>()

  constructor(partitions: number) {
    this.#partitions = partitions
  }

  get isEmpty(): boolean {
    return this.#members.length === 0
  }

  join(member: GroupMember): void {
    this.#members.push(member)
    this.#wakeOthers(member)
  }

  /** Lets go of everything. */
  leave(member: GroupMember): void {
    const at = this.#members.indexOf(member)
    if (at >= 0) this.#members.splice(at, 1)
    for (const [partition, holder] of this.#holders) if (holder === member) this.#holders.delete(partition)
    this.#wakeOthers(member)
  }

  belongs(partition: number, member: GroupMember): boolean {
    return this.#members[partition % this.#members.length] === member
  }

  /** Takes the partitions that belong to the member and that nobody holds. */
  claim(member: GroupMember): number[] {
    const claimed: number[] = []
    for (let p = 0; p < this.#partitions; p++) {
      if (this.#holders.has(p) || !this.belongs(p, member)) continue
      this.#holders.set(p, member)
      claimed.push(p)
    }
    return claimed
  }

  /** Lets go of one. */
  release(partition: number, member: GroupMember): void {
    if (this.#holders.get(partition) !== member) return
    this.#holders.delete(partition)
    this.#wakeOthers(member)
  }

  #wakeOthers(member: GroupMember): void {
    for (const other of this.#members) if (other !== member) other.wake()
  }
}
