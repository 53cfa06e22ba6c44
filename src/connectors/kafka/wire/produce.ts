import { api, array, bytes, int16, int32, int64, nullableString, string, struct } from './schema.ts'

const request = struct({
  transactionalId: nullableString,
  acks: int16,
  timeoutMs: int32,
  topics: array(struct({ name: string, partitions: array(struct({ partition: int32, records: bytes })) })),
})

const response = struct({
  topics: array(
    struct({
      name: string,
      partitions: array(
        struct({
          partition: int32,
          error: int16,
          base: int64,
          appendTime: int64,
          logStart: int64,
          recordErrors: array(struct({ index: int32, message: nullableString })),
          message: nullableString,
        }),
      ),
    }),
  ),
  throttleMs: int32,
})

/** One batch a partition. From version 12 on it also adds the partitions to the transaction. */
export const produce = api(0, 'Produce', [9, 12], request, response)
