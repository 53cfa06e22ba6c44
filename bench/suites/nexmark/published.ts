/**
 * Flink's published figures, K events/s per core, of the Nexmark suite's own benchmark page (8 cores, 10 M events/s offered,
 * RocksDB, another machine than yours: indicative). None is known for the queries that are not here.
 */
export const publishedPerCore: Readonly<Record<string, number>> = {
  q0: 155,
  q1: 158,
  q2: 175,
  q3: 152,
  q4: 34,
  q5: 22,
  q7: 12,
  q8: 146,
  q9: 14,
  q11: 40,
  q12: 76,
  q13: 131,
  q14: 161,
  q15: 72,
  q16: 19,
  q17: 117,
  q18: 54,
  q19: 44,
  q20: 19,
  q21: 98,
  q22: 130,
}
