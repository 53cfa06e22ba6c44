import { type Kind, own, trip } from './kind.ts'

const outside = { step: 'culprit', code: 'DHAARA_ASYNC_FAILED', domain: 'external', appOnly: true } as const

export const asynchronous: readonly Kind[] = [
  { ...outside, name: 'mapAsync, at once', build: (s) => s.mapAsync((v) => trip(v, Promise.resolve(v)), own) },
  { ...outside, name: 'mapAsync, later', build: (s) => s.mapAsync(async (v) => trip(v, v), own) },
  {
    ...outside,
    name: 'mapAsync, all in order',
    build: (s) => s.mapAsync(async (v) => trip(v, v), { ...own, ordered: 'all' }),
  },
  {
    ...outside,
    name: 'mapAsync’s fallback',
    build: (s) =>
      s.mapAsync(
        async (v) => {
          if (v === 'boom') throw new Error('no answer')
          return v
        },
        { ...own, fallback: (_error, v) => trip(v, v) },
      ),
  },
  {
    ...outside,
    name: 'what asks whether mapAsync may try again',
    build: (s) =>
      s.mapAsync(
        async (v) => {
          if (v === 'boom') throw new Error('no answer')
          return v
        },
        { ...own, retry: { attempts: 2, backoff: 1, when: (error) => trip('boom', error === null) } },
      ),
  },
]
