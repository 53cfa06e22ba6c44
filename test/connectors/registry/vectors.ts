import { readFileSync } from 'node:fs'
import { RegistryServer } from './server.ts'

/** Bytes that Confluent's own JavaScript client wrote, and the registry as it was then. */
export interface Vectors {
  readonly subjects: Readonly<Record<string, readonly { readonly id: number; readonly schema: string }[]>>
  readonly records: readonly {
    readonly kind: 'avro' | 'json' | 'protobuf'
    readonly topic: string
    readonly message?: string
    readonly value: unknown
    readonly hex: string
  }[]
}

export const vectors = JSON.parse(
  readFileSync(new URL('../../vectors/schema-registry.json', import.meta.url), 'utf8'),
) as Vectors

/** A registry that has what the vectors were written with. */
export async function vectorServer(): Promise<RegistryServer> {
  const server = await RegistryServer.start()
  for (const [subject, versions] of Object.entries(vectors.subjects))
    for (const { id, ...schema } of versions) await server.register(subject, schema, id)
  return server
}
