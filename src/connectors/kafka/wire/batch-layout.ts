/**
 * A record batch of magic 2, as it lies in a log and on the wire:
 *
 *     bytes  0  offset of the first record           int64
 *            8  bytes that follow                    int32
 *           12  epoch of the leader                  int32
 *           16  magic: 2                             int8
 *           17  CRC32C of all from byte 21 on        uint32
 *           21  attributes                           int16
 *           23  last offset - first offset           int32
 *           27  first timestamp, 35 largest          int64
 *           43  producer's id                        int64
 *           51  its epoch                            int16
 *           53  sequence number of the first record  int32
 *           57  number of records                    int32
 *           61  records, packed if the attributes say so
 *
 * A record: length, attributes, timestamp - first, offset - first, key, value, headers; numbers are zigzag varints, and a
 * length of -1 stands for null.
 *
 * @see Apache Kafka's documentation, "Message Format"
 */
export const batchHead = 61

export const at = {
  length: 8,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  sequence: 53,
  count: 57,
} as const

export const attribute = {
  codec: 0x07,
  /** Timestamps are the broker's, given at the append; all records have `maxTimestamp`. */
  appendTime: 0x08,
  transactional: 0x10,
  /** Its records mark where a transaction ends. */
  control: 0x20,
} as const
