import { DhaaraError } from '../../errors/index.ts'

/** Positions in a topic say nothing of another one of its name. */
export const topicReplaced = (topic: string): DhaaraError =>
  new DhaaraError(
    'DHAARA_TOPIC_REPLACED',
    `Topic '${topic}' was deleted and made again since it was read here: positions in it, and what was counted of it, belong to the old one. To begin an app anew with the new one: dhaara reset --brokers … --application-id … --yes`,
  )
