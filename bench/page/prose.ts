/** What the page says in words. */
export const introduction = `<!-- Written by \`npm run docs:performance\` from bench/results/performance.jsonl. -->

# Performance

What the engine does on one machine, beside what an expert's loop, Kafka Streams, Flink and npm's own do on the same machine with
the same bytes, and how to find out for another one.

## How to read it

- A **ratio** is the figure to look at: of two programs that ran in turn, in fresh processes, on the same bytes. Records a
  second are this machine's alone.
- \`cpu\` ratios compare records per CPU second (user and system time of all threads, clients, garbage collection and compilation
  included; brokers apart); \`wall\` ratios records a second. \`spread\` is (max - min) / median of the runs.
- \`right\`: the number of rows and their checksum are those of a reference that was computed apart. A figure without them is none.
- State is durable where a case says so: each 100 ms state and position go to RocksDB in one batch, as the engine does by default.
  In the keyed aggregates beside Flink and Kafka Streams it is each second, as theirs are; figures recorded before that had 100 ms.
- The figures recorded so far are of three runs (Nexmark of 2,000,000 events, Kafka, peers, latency, queries and much state of patterns: of one) on a virtual machine that has neighbours: \`spread\` says how far to trust them.
- A difference below the spread is no difference: \`npm run bench -- compare\` gives its interval of confidence.`

export const repeat = `## How to repeat it

    npm run bench                                  everything, short: a few minutes
    npm run bench -- ceilings tumbling --runs 7    one case, well
    npm run bench -- peers                         others (Java 17 and Maven for those on the JVM)
    npm run bench -- record                        everything on this page, for hours, into bench/results/performance.jsonl
    npm run docs:performance                       this page from that file
    npm run bench -- compare before.json after.json
    npm run bench:gate -- report.json              a report of \`ceilings --json\` against the committed baseline

On a machine that does nothing else: look at \`spread\` first.`

export const limits = `### In words

What follows is how the engine is understood; profiles stand above where they were recorded.

- \`json-in-out\` and every case that reads whole JSON objects spend most of their time in \`JSON.parse\` and \`JSON.stringify\`, which
  the hand-written loop does too. Declaring the fields that a job reads, \`serdes.json({ fields })\`, takes only them from the bytes.
- Aggregates in a cache cost a look-up and a row of output for each record; with more keys than the cache holds, reads of RocksDB
  are the limit, and the yardstick hides them by reading in batches.
- Of \`keyed-aggregate\` a third goes into parsing (which the yardstick does too), an eighth into RocksDB's write, a tenth into putting
  rows in order and encoding them, 7 % into writing JSON, and 15 to 20 % into the first touch of the key's entry, its time and its
  state, which 10,000 keys keep out of the nearest caches. The yardstick touches less a key, and never holds more than one record.
- Of \`keyed-aggregate-large\` half goes into reading rows that the cache lacks, as in the yardstick (45 %). A row of the engine has
  its timestamp, its store and its fields' names, twice the bytes of the yardstick's; so fewer of them fit the database's block
  cache, and a read takes 1.3 to 1.5 times as long.
- Windows on close write each row once; what they cost is the look-up of the window's row. Hopping windows are put together from
  panes, so that the number of windows that a record lies in hardly counts.
- A repartition between workers is bound by copying bytes between threads and by a commit on both sides.
- Bytes travel with a value that nobody has changed: a job that filters JSON writes what it read, and comes to 0.76 of a loop that
  copies bytes, where writing the values anew comes to 0.53 (\`ceilings filter\`). Through a repartition they do not:
  the receiver would have to parse them.
- Columns would make sums four times as fast (\`bench/spikes/columns.ts\`: 78 against 20 M/s), and a job that reads its fields from
  JSON 1.2 times: reading is the limit, so aggregates take a record at a time.
- Exactly once adds to a record's latency what is left of the checkpoint interval: half of it on average.`
