import { count, flag, oneOf, period, text, texts } from '../options/index.ts'

/** Of all sources that read files. */
export const fileSourceOptions = {
  path: texts('The file, or several: each is a partition. One that ends in `.gz` is unpacked.').required(),
  follow: flag(
    'Go on as the file grows, through rotation (renamed and made anew) and truncation, as `tail -F` does.',
    false,
  ),
  poll: period('With `follow`: how often to look for more.', '250ms'),
  lost: oneOf(
    'What to do when the file of the last checkpoint is neither there nor beside it: stop the job, or read what is there from its start.',
    ['fail', 'beginning'],
    'fail',
  ),
}

/** Of all sinks that write files. */
export const fileSinkOptions = {
  path: text(
    'The file. `{partition}` stands for the number of the task, and is needed where there are several.',
  ).required(),
  existing: oneOf(
    'What to do, when the job has written nothing yet, with a file that is there already.',
    ['fail', 'replace', 'append'],
    'fail',
  ),
  rollBytes: count(
    'Once it is so large, the file is renamed to `name-EPOCH.ext` and a new one is begun. Default: never.',
  ),
  sync: flag('Force each epoch to the disk before it counts: then a power loss costs nothing either.', true),
  batchRecords: count('Most records that are written at once.', 10_000),
}
