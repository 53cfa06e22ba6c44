import { type Kind, noting, own, last, text, trip, type Text } from './kind.ts'

export const processors: readonly Kind[] = [
  {
    name: 'process',
    step: 'culprit',
    build: (s) =>
      s.process<string, string>((ctx) => ({ process: (v, k) => ctx.forward(trip(v, v), k as string) }), {
        ...own,
        ...text,
      }) as Text,
  },
  {
    name: 'processValues',
    step: 'culprit',
    build: (s) => s.processValues<string>((ctx) => ({ process: (v) => ctx.forward(trip(v, v)) }), own),
  },
  {
    name: 'onTimer',
    step: 'culprit',
    timed: true,
    build: (s) =>
      s.process<string, string>(
        (ctx) => ({
          process: (v, _, { timestamp }) => ctx.timers.set(v, timestamp),
          onTimer: (key) => ctx.forward(trip(key, key), key),
        }),
        { ...own, ...text },
      ) as Text,
  },
  {
    name: 'a punctuator',
    step: 'culprit',
    at: 14,
    timed: true,
    build: (s) =>
      noting(s)
        .process<string, string>(
          (ctx) => {
            ctx.schedule(1, 'stream', () => trip(last.seen, undefined))
            return { process: (v, k) => ctx.forward(v, k as string) }
          },
          { ...own, ...text },
        )
        .filter((v) => v !== 'boom') as Text,
  },
  {
    name: 'a processor’s end',
    step: 'culprit',
    timed: true,
    build: (s) =>
      noting(s).process<string, string>(
        (ctx) => {
          let bad = false
          return {
            process: (v, k) => {
              if (v === 'boom') bad = true
              else ctx.forward(v, k as string)
            },
            end: () => trip(bad ? 'boom' : '', undefined),
          }
        },
        { ...own, ...text },
      ) as Text,
  },
]
