/**
 * Who may import whom, as a table. `npm run lint:imports` holds the tree to it.
 *
 * A layer is a folder (or one file); a path belongs to the layer with the longest matching prefix. A layer may always
 * import itself. What is not listed is refused, and so is a circle of imports, of types as of values, outside of `knots`.
 */
export interface LayerRule {
  /** Folder or file, from the root of the repository. */
  readonly layer: string
  /** Folders or files it may import, besides itself. */
  readonly may: readonly string[]
  /** The same, for `import type` only. */
  readonly mayTypes?: readonly string[]
}

/** One import that the table forbids and that stands nevertheless. An exception that nothing needs is an error. */
export interface ImportException {
  readonly from: string
  readonly to: string
  readonly reason: string
}

/** What a user of the package can import: the files behind `exports` in package.json. */
export const entryPoints = [
  'src/index.ts',
  'src/testing/index.ts',
  'src/connectors/index.ts',
  'src/connectors/rx/index.ts',
] as const

/** Order does not matter. */
export const layerRules: readonly LayerRule[] = [
  { layer: 'src/errors', may: [] },
  { layer: 'src/dsl', may: ['src/errors', 'src/dsl/serdes'] },
  // Serdes and state share one key codec, so that what is in order on one side is in order on the other.
  {
    layer: 'src/dsl/serdes',
    may: ['src/dsl/generated.ts', 'src/errors', 'src/state/codec'],
    mayTypes: ['src/dsl/windows', 'src/dsl/brand.ts'],
  },
  { layer: 'src/state/codec', may: ['src/errors'] },
  { layer: 'src/state', may: ['src/errors', 'src/state/codec'], mayTypes: ['src/dsl/serdes'] },
  { layer: 'src/connectors/broker', may: ['src/state', 'src/errors', 'src/dsl/serdes'] },
  // Stands for each folder below it: connectors do not import one another.
  {
    layer: 'src/connectors/*',
    may: ['src/connectors/broker', 'src/connectors/options', 'src/state', 'src/errors', 'src/dsl/serdes'],
    mayTypes: ['src/dsl'],
  },
  {
    layer: 'src/connectors/registry',
    may: ['src/connectors/options', 'src/errors', 'src/dsl', 'src/dsl/serdes'],
  },
  // What `dhaara/connectors` exports.
  {
    layer: 'src/connectors/index.ts',
    may: [
      'src/connectors/catalogue.ts',
      'src/connectors/options',
      'src/connectors/arrow',
      'src/connectors/files',
      'src/connectors/postgres',
      'src/connectors/webhook',
    ],
  },
  {
    layer: 'src/connectors/catalogue.ts',
    may: [
      'src/connectors/options',
      'src/connectors/arrow',
      'src/connectors/files',
      'src/connectors/postgres',
      'src/connectors/rx',
      'src/connectors/webhook',
    ],
  },
  // Arrow streams are files that grow by whole pieces, too.
  {
    layer: 'src/connectors/arrow',
    may: ['src/connectors/files', 'src/connectors/options', 'src/errors'],
    mayTypes: ['src/dsl'],
  },
  { layer: 'src/connectors/options', may: ['src/errors', 'src/dsl'] },
  {
    layer: 'src/engine',
    mayTypes: ['src/http'],
    may: ['src/dsl', 'src/dsl/serdes', 'src/state', 'src/state/codec', 'src/connectors/broker', 'src/errors'],
  },
  {
    layer: 'src/testing',
    may: [
      'src/engine',
      'src/dsl',
      'src/dsl/serdes',
      'src/connectors/broker',
      'src/state',
      'src/state/codec',
      'src/errors',
    ],
  },
  {
    layer: 'src/index.ts',
    may: ['src/dsl', 'src/engine', 'src/state', 'src/connectors', 'src/errors'],
  },
  { layer: 'src/http', may: ['src/engine', 'src/errors'], mayTypes: ['src/dsl', 'src/connectors/broker'] },
  // A part of the package, not a user of it: it feeds topics, tails them and reads state beside the app.
  {
    layer: 'src/cli',
    mayTypes: ['src/http'],
    may: [
      'src/index.ts',
      'src/engine',
      'src/dsl',
      'src/dsl/serdes',
      'src/state',
      'src/state/codec',
      'src/connectors/broker',
      'src/connectors/embedded',
      'src/connectors/files',
      'src/connectors/kafka',
      'src/connectors/catalogue.ts',
      'src/connectors/options',
      'src/errors',
    ],
  },
  { layer: 'src/console', may: entryPoints },
  { layer: 'examples', may: entryPoints },
  // Runs in a browser, with what the console has for that.
  { layer: 'examples/hotstar/page', may: ['console', 'examples'] },
  // Benchmarks feed the engine as the broker does, without a broker's cost in between.
  // A broker for what needs one is started as the tests do it.
  { layer: 'bench', may: ['src', 'scripts'] },
]

/** Keep it short; each line is a debt. */
export const importExceptions: readonly ImportException[] = [
  {
    from: 'src/engine/app/app-runtime.ts',
    to: 'src/connectors/embedded/broker.ts',
    reason: 'an app that is given no broker runs on the embedded one',
  },
  {
    from: 'src/engine/app/serving.ts',
    to: 'src/http/index.ts',
    reason: 'an app that is told to be served loads the server',
  },
]

/** Files whose types name one another, because what they describe is tied together: types may go in a circle here alone. */
export interface Knot {
  readonly files: readonly string[]
  readonly reason: string
}

export const knots: readonly Knot[] = [
  {
    files: ['cogroup', 'grouped', 'match', 'split', 'stream', 'table', 'windowed'].map(
      (of) => `src/dsl/${of}/types.ts`,
    ),
    reason:
      'a stream is grouped into tables, a table becomes a stream, and each type has the methods that lead to the others',
  },
  {
    files: ['src/engine/cep/buffer.ts', 'src/engine/cep/chunk.ts', 'src/engine/cep/run.ts'],
    reason: 'runs point at the nodes of their events, events at their chunk, and a chunk at the runs that began in it',
  },
]
