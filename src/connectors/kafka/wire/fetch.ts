import {
  api,
  array,
  atMost,
  int8,
  int16,
  int32,
  int64,
  noTopicId,
  nullableArray,
  nullableBytes,
  since,
  string,
  struct,
  until,
  uuid,
} from './schema.ts'

/** From this version on topics go by their ids. */
const byId = 13
const topic = { id: since(byId, uuid, noTopicId), name: until(byId, string, '') }

const request = struct({
  replica: int32,
  maxWaitMs: int32,
  minBytes: int32,
  maxBytes: int32,
  isolation: int8,
  session: int32,
  sessionEpoch: int32,
  topics: array(
    struct({
      ...topic,
      partitions: array(
        struct({
          partition: int32,
          leaderEpoch: int32,
          offset: int64,
          lastFetchedEpoch: int32,
          logStart: int64,
          maxBytes: int32,
        }),
      ),
    }),
  ),
  forgotten: array(struct({ ...topic, partitions: array(int32) })),
  rack: string,
})

const response = struct({
  throttleMs: int32,
  error: int16,
  session: int32,
  topics: array(
    struct({
      ...topic,
      partitions: array(
        struct({
          partition: int32,
          error: int16,
          highWatermark: int64,
          lastStable: int64,
          logStart: int64,
          aborted: nullableArray(struct({ producerId: int64, first: int64 })),
          preferredReplica: int32,
          records: nullableBytes,
        }),
      ),
    }),
  ),
})

/** `records` is a view of the answer, still encoded. */
export const fetch = api(1, 'Fetch', [byId - 1, byId], request, response)
export const fetchByName = atMost(byId - 1, fetch)
