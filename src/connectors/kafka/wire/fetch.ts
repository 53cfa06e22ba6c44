import { api, array, int8, int16, int32, int64, nullableArray, nullableBytes, string, struct } from './schema.ts'

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
      name: string,
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
  forgotten: array(struct({ name: string, partitions: array(int32) })),
  rack: string,
})

const response = struct({
  throttleMs: int32,
  error: int16,
  session: int32,
  topics: array(
    struct({
      name: string,
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

/** By topic name; `records` is a view of the answer, still encoded. */
export const fetch = api(1, 'Fetch', [12, 12], request, response)
