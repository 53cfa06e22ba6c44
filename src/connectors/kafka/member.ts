/**
 * A member of a group by the classic protocol, with the layout of Kafka's consumers, so that their tools show who reads what.
 * Over requests of our own: what the leader tells a member (its user data) and the generation are not to be had from either
 * client, and one of them leaves the assignor out where a group has one member.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { DhaaraError } from '../../errors/index.ts'
import { Lease, steadyNow } from '../broker/lease.ts'
import type { Assigned, MemberOptions, Membership, RemoteMember, TopicPartition } from '../broker/remote.ts'
import type { KafkaCluster } from './cluster.ts'
import { retrying } from './retry.ts'
import * as apis from './wire/apis.ts'
import { check, isAnswer, KafkaAnswer, kafkaError, mayRetry } from './wire/errors.ts'
import type { Api } from './wire/schema.ts'
import { Writer } from './wire/writer.ts'

const protocolType = 'consumer'
const protocolName = 'dhaara'
const defaultRebalanceMs = 300_000
/** Clocks of two machines do not run alike. */
const leasePart = 0.95
let members = 0

export class KafkaMember implements RemoteMember {
  readonly #cluster: KafkaCluster
  readonly #options: MemberOptions
  readonly #sessionMs: number
  /** A broker answers the requests of a connection one after the other, and a join may wait for minutes. */
  readonly #lane = `group-${members++}` as const
  #member = ''
  #generation = -1
  #left = false
  /** The group has gone on without it, and whoever uses it has not been told yet. */
  #dropped = false
  #beat = new AbortController()
  #rebalance = Promise.withResolvers<void>()
  readonly #lease: Lease
  /** When the group was last asked, of the times that it was as this member knows it. */
  #stableAt = 0n

  constructor(cluster: KafkaCluster, options: MemberOptions) {
    this.#cluster = cluster
    this.#options = options
    this.#sessionMs = options.sessionMs ?? 10_000
    this.#lease = new Lease(options.lease)
  }

  get membership(): Membership {
    const { group } = this.#options
    return { group, generation: this.#generation, member: this.#member, instance: this.#instance }
  }

  get rebalance(): Promise<void> {
    return this.#rebalance.promise
  }

  async join(): Promise<Buffer> {
    this.#beat.abort()
    const assignment = await retrying(() => this.#joinOnce(), { within: 10 * 60_000, before: () => this.#lost() })
    this.#rebalance = Promise.withResolvers()
    this.#beat = new AbortController()
    void this.#heartbeats(this.#beat.signal)
    return assignment
  }

  async leave(): Promise<void> {
    this.#left = true
    this.#lease.end()
    this.#beat.abort()
    if (this.#member === '' || this.#instance !== null) return
    const members = [{ member: this.#member, instance: null }]
    await this.#ask(apis.leaveGroup, { group: this.#options.group, members }).catch(() => {})
  }

  async retreat(): Promise<void> {
    this.#lease.end()
    this.#beat.abort()
    const [member, instance] = [this.#member, this.#instance]
    this.#lose()
    this.#rebalance.resolve()
    if (member === '') return
    await this.#ask(apis.leaveGroup, { group: this.#options.group, members: [{ member, instance }] }).catch(() => {})
  }

  get #instance(): string | null {
    return this.#options.instance ?? null
  }

  get #rebalanceMs(): number {
    return this.#options.rebalanceMs ?? defaultRebalanceMs
  }

  async #joinOnce(): Promise<Buffer> {
    const { group, topics, userData } = this.#options
    if (this.#dropped) {
      this.#dropped = false
      throw new KafkaAnswer(kafkaError.unknownMember, `Joining group '${group}' again`)
    }
    const request = {
      group,
      sessionMs: this.#sessionMs,
      rebalanceMs: this.#rebalanceMs,
      member: this.#member,
      instance: this.#instance,
      type: protocolType,
      protocols: [{ name: protocolName, metadata: subscription(topics, userData()) }],
    }
    const joined = await this.#ask(apis.joinGroup, request)
    if (joined.error === kafkaError.memberIdRequired) {
      this.#member = joined.member
      return this.#joinOnce()
    }
    if (joined.error === kafkaError.unknownMember) {
      this.#lose()
      return this.#joinOnce()
    }
    check(joined.error, `Joining group '${group}'`)
    this.#member = joined.member
    this.#generation = joined.generation
    const assigned =
      joined.leader === joined.member
        ? await this.#options.assign(
            joined.members.map(({ member, metadata }) => ({ member, userData: userDataOf(metadata, 'subscription') })),
          )
        : []
    const askedAt = steadyNow()
    const synced = await this.#ask(apis.syncGroup, {
      group,
      generation: this.#generation,
      member: this.#member,
      instance: this.#instance,
      type: protocolType,
      protocol: protocolName,
      assignments: assigned.map((one) => ({ member: one.member, assignment: assignment(one) })),
    })
    if (synced.error === kafkaError.rebalanceInProgress || synced.error === kafkaError.illegalGeneration)
      return this.#joinOnce()
    if (synced.error === kafkaError.unknownMember) {
      this.#lose()
      return this.#joinOnce()
    }
    check(synced.error, `Being told what to do in group '${group}'`)
    this.#alive(askedAt, true)
    return synced.assignment.length === 0 ? Buffer.alloc(0) : userDataOf(synced.assignment, 'assignment')
  }

  async #heartbeats(signal: AbortSignal): Promise<void> {
    const { group } = this.#options
    // Also how long others wait for this one when they join.
    const pause = Math.min(1000, this.#sessionMs / 3)
    while (!signal.aborted) {
      await delay(pause, undefined, { signal, ref: false }).catch(() => {})
      if (signal.aborted) return
      const askedAt = steadyNow()
      try {
        const request = { group, generation: this.#generation, member: this.#member, instance: this.#instance }
        const { error } = await this.#ask(apis.heartbeat, request)
        if (signal.aborted) return
        if (error === 0) {
          this.#alive(askedAt, true)
          continue
        }
        throw new KafkaAnswer(error, `Staying in group '${group}'`)
      } catch (error) {
        if (isAnswer(error, 'unknownMember', 'fencedInstanceId')) this.#lose()
        if (isAnswer(error, 'rebalanceInProgress')) {
          // Whoever is busy comes later, and is a member until then.
          this.#alive(askedAt, false)
          this.#rebalance.resolve()
          continue
        }
        if (isAnswer(error, 'illegalGeneration', 'unknownMember', 'fencedInstanceId')) {
          this.#lease.end()
          this.#rebalance.resolve()
          return
        }
        if (!mayRetry(error)) {
          this.#rebalance.reject(error)
          this.#rebalance.promise.catch(() => {})
          return
        }
        this.#lost()
      }
    }
  }

  async #ask<Req, Res>(api: Api<Req, Res>, request: Req): Promise<Res> {
    const { group } = this.#options
    if (this.#left && api.key !== apis.leaveGroup.key)
      throw new DhaaraError('DHAARA_APP_STATE', `This member of group '${group}' has left`)
    return this.#cluster.toCoordinator('group', group, api, request, this.#lane)
  }

  /** The group has answered. @param stable nobody has begun to join it again */
  #alive(askedAt: bigint, stable: boolean): void {
    if (stable) this.#stableAt = askedAt
    const part = (ms: number): bigint => BigInt(Math.floor(ms * leasePart * 1e6))
    const session = askedAt + part(this.#sessionMs)
    const rebalance = this.#stableAt + part(this.#rebalanceMs)
    this.#lease.renew(stable || session < rebalance ? session : rebalance)
  }

  #lose(): void {
    this.#lease.end()
    this.#dropped = this.#member !== ''
    this.#member = ''
  }

  #lost(): void {
    this.#cluster.forgetCoordinator('group', this.#options.group)
  }
}

// The layout within JoinGroup and SyncGroup is the consumers' own, and not of the flexible kind.

function subscription(topics: readonly string[], userData: Buffer): Buffer {
  const to = new Writer()
  to.i16(0)
  to.i32(topics.length)
  for (const topic of topics) text(to, topic)
  to.i32(userData.length)
  to.raw(userData)
  return to.bytes()
}

function assignment({ partitions, userData }: Assigned): Buffer {
  const to = new Writer()
  to.i16(0)
  const topics = Map.groupBy(partitions, ({ topic }: TopicPartition) => topic)
  to.i32(topics.size)
  for (const [topic, list] of topics) {
    text(to, topic)
    to.i32(list.length)
    for (const { partition } of list) to.i32(partition)
  }
  to.i32(userData.length)
  to.raw(userData)
  return to.bytes()
}

/** It is last in both. */
function userDataOf(bytes: Buffer, layout: 'subscription' | 'assignment'): Buffer {
  let at = 6
  for (let topics = bytes.readInt32BE(2); topics > 0; topics--) {
    at += 2 + bytes.readInt16BE(at)
    if (layout === 'assignment') at += 4 + 4 * bytes.readInt32BE(at)
  }
  const length = bytes.readInt32BE(at)
  return length < 0 ? Buffer.alloc(0) : bytes.subarray(at + 4, at + 4 + length)
}

function text(to: Writer, value: string): void {
  const bytes = Buffer.byteLength(value)
  to.i16(bytes)
  to.text(value, bytes)
}
