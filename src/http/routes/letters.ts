import type { DeadLetter, LetterFilter } from '../../connectors/broker/index.ts'
import { toJson } from '../../engine/query/index.ts'
import { HttpProblem } from '../problem.ts'
import { type Asked, anything, integer, list, object, oneOf, type Route, type Schema, text } from '../route.ts'
import type { Letters, Served, TopicSerde } from '../served.ts'
import { cut, mostParameter, shown } from './topics.ts'

const offset: Schema = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER }
const filters = {
  code: { ...text, description: 'of the error' },
  step: { ...text, description: 'that failed' },
  topic: { ...text, description: 'that the record came from' },
  message: { ...text, description: 'text in the message' },
}
const letter = object({
  offset: integer,
  at: { type: 'number' },
  code: text,
  step: text,
  message: text,
  stack: text,
  topic: text,
  partition: integer,
  position: integer,
  timestamp: { type: 'number' },
  key: anything,
  value: anything,
  headers: { type: 'object', additionalProperties: { type: 'string' } },
  state: oneOf('open', 'replayed', 'dropped'),
})
const body: Schema = {
  ...object(
    {
      offsets: { type: 'array', items: offset, maxItems: 10_000 },
      ...filters,
      all: { type: 'boolean', enum: [true], description: 'all that are open' },
    },
    [],
  ),
  minProperties: 1,
}
const done = object({ done: integer, refused: list(object({ offset: integer, why: text })) })

/** Records that were put aside. @param admin requests may change something */
export function letterRoutes(app: Served, admin: boolean): Route[] {
  const change = (id: string, url: string, summary: string, act: (letters: Letters, filter: LetterFilter) => unknown) =>
    ({
      method: 'POST',
      url,
      id,
      tag: 'dead letters',
      summary,
      body,
      gives: { 'application/json': done },
      refuses: [403, 503],
      answer: ({ body: filter }: Asked) => {
        if (!admin) throw new HttpProblem(403, 'This app is read-only; its options need http: {admin: true}')
        const { all: _, ...letters } = filter as LetterFilter & { readonly all?: true }
        return act(lettersOf(app), letters)
      },
    }) as const
  return [
    {
      method: 'GET',
      url: '/api/dead-letters',
      id: 'listDeadLetters',
      tag: 'dead letters',
      summary: 'Records that were put aside, the newest first: why, where from, and what was done with them',
      query: {
        ...Object.fromEntries(Object.entries(filters).map(([name, schema]) => [name, { schema }])),
        state: { schema: { ...oneOf('open', 'replayed', 'dropped', 'all'), default: 'open' } },
        limit: { schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 } },
        before: { schema: offset, description: 'of the page before' },
        most: mostParameter,
      },
      gives: {
        'application/json': object(
          { topic: text, admin: { type: 'boolean' }, letters: list(letter), before: integer },
          ['topic', 'admin', 'letters'],
        ),
      },
      refuses: [503],
      answer: async ({ query, reply }) => {
        const letters = lettersOf(app)
        const { limit, before, most, ...filter } = query as LetterFilter & {
          readonly limit?: number
          readonly before?: number
          readonly most?: number
        }
        const page = await letters.list(filter, limit ?? 100, before)
        const rows = page.letters.map((one) => letterText(one, app, most))
        const rest = page.before === undefined ? '' : `,"before":${page.before}`
        return reply
          .type('application/json; charset=utf-8')
          .send(`{"topic":${JSON.stringify(letters.topic)},"admin":${admin},"letters":[${rows.join(',')}]${rest}}`)
      },
    },
    change(
      'replayDeadLetters',
      '/api/dead-letters/replay',
      'Puts records back into their inputs, once',
      (letters, filter) => letters.replay(filter),
    ),
    change('dropDeadLetters', '/api/dead-letters/drop', 'Is done with records that were put aside', (letters, filter) =>
      letters.drop(filter),
    ),
  ]
}

/** @throws HttpProblem 503 */
function lettersOf(app: Served): Letters {
  const letters = app.letters()
  if (letters === undefined) throw new HttpProblem(503, 'The dead letters lie on a broker of their own; ask it')
  return letters
}

function letterText(one: DeadLetter, app: Served, most: number | undefined): string {
  const { key, value, ...fields } = one
  const serdes = app.serdes(one.topic)
  const text = (part: Uint8Array | null, serde: TopicSerde | undefined) => cut(shown(part, serde, one.topic), most)
  const bytes = `"key":${text(key, serdes.key)},"value":${text(value, serdes.value)}`
  return `${toJson(fields).slice(0, -1)},${bytes}}`
}
