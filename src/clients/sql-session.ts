import type { Json } from '#lib/json.ts'

export type SqlDialling = {
  /** What messages call the database. */
  readonly name: string
  readonly url: string
  /** The addresses that the URL's host may be dialled at. Not called for a socket on disk. */
  readonly resolve: (host: string) => Promise<readonly string[]>
  /** `reading`: a read-only transaction. `undone`: one that may write as any client of this user may, and that is rolled back. Neither is ever committed. `none`: each statement stands for itself, and stays. */
  readonly transaction: 'reading' | 'undone' | 'none'
  /** However long a statement takes: the server ends it then. */
  readonly statementTimeoutMs: number
  /** Of all answers together. */
  readonly maxBytes: number
  readonly connecting?: () => void
  readonly connected?: () => void
}

/** Numbers and booleans are such; what the type of a column does not tell is text. */
export type SqlRows = { readonly columns: readonly string[]; readonly rows: readonly (readonly Json[])[] }

/** One connection to a database, in one transaction where it has one, for one sample or one statement. */
export type SqlSession = {
  readonly engine: 'postgres' | 'mysql'
  /** One statement of a person's, which is made to be a reading one. No more than `most` rows come back. */
  read(query: string, most: number): Promise<SqlRows>
  /** One statement of ours. */
  ask(statement: string): Promise<SqlRows>
}

/** Opens a session, and closes it when `use` is done. */
export type WithSql = <T>(dialling: SqlDialling, signal: AbortSignal, use: (session: SqlSession) => Promise<T>) => Promise<T>
