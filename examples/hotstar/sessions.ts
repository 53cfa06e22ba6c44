import { type KStream, serdes, stores, type ValueProcessorContext } from '../../src/index.ts'
import { json } from '../lib/topics.ts'
import type { Quality, StreamingEvent } from './events.ts'
import { QUALITIES } from './match.ts'
import { type Region, regionOf } from './regions.ts'

/** A player, as far as its events have told. */
export interface Session {
  readonly userId: string
  readonly contentId: string
  readonly playing: boolean
  readonly quality: Quality
  /** How often it began to play, or went on. */
  readonly plays: number
  readonly events: number
  readonly lastEventAt: number
}

/** An event, and what it changed. */
export interface Viewing {
  readonly event: StreamingEvent
  readonly region: Region
  /** 1: plays now; -1: plays no more. */
  readonly delta: -1 | 0 | 1
  /** A change to a lower quality. */
  readonly drop: boolean
  readonly session: Session
}

export const sessionStore = stores.keyValue('sessions', {
  key: serdes.string(),
  value: serdes.msgpack<Session>(),
})

/** A state machine a session, in the order in which its events arrive. */
export function sessions(events: KStream<string, StreamingEvent>): KStream<string, Viewing> {
  const viewings = events.processValues<Viewing>(stateMachine, { stores: [sessionStore] })
  viewings.mapValues(({ session }) => session).to('hotstar-sessions', json)
  return viewings
}

function stateMachine(ctx: ValueProcessorContext<string, Viewing>) {
  const known = ctx.store(sessionStore)
  return {
    process(event: StreamingEvent, sessionId: string) {
      const before = known.get(sessionId)
      const viewing = viewingOf(event, before)
      known.put(sessionId, viewing.session)
      ctx.forward(viewing)
    },
  }
}

function viewingOf(event: StreamingEvent, before: Session | undefined): Viewing {
  const { userId, contentId, eventType, quality, timestamp } = event
  const wasPlaying = before?.playing ?? false
  const starts = eventType === 'play' && !wasPlaying
  const ends = (eventType === 'pause' || eventType === 'stop') && wasPlaying
  const session: Session = {
    userId,
    contentId,
    playing: starts || (wasPlaying && !ends),
    quality,
    plays: (before?.plays ?? 0) + (starts ? 1 : 0),
    events: (before?.events ?? 0) + 1,
    lastEventAt: Math.max(before?.lastEventAt ?? 0, timestamp),
  }
  return {
    event,
    region: regionOf(event.location),
    delta: starts ? 1 : ends ? -1 : 0,
    drop: eventType === 'quality_change' && before !== undefined && rank(quality) > rank(before.quality),
    session,
  }
}

const rank = (quality: Quality): number => QUALITIES.indexOf(quality)
