/** Which subject a schema lies under: `<topic>-value`, `<record>`, `<topic>-<record>`, or as a function says. */
export type SubjectName =
  | 'topic'
  | 'record'
  | 'topic-record'
  | ((topic: string, record: string, of: 'key' | 'value') => string)

export interface SubjectOptions {
  /** What the serde is used for; default 'value'. */
  readonly of?: 'key' | 'value'
  /** Default 'topic'. */
  readonly subject?: SubjectName
  /**
   * What is written with: `register` puts the schema into the registry at start (the default), `lookup` wants it to be there,
   * `latest` takes the newest of the subject.
   */
  readonly schemas?: 'register' | 'lookup' | 'latest'
}
