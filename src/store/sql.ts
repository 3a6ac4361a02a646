/**
 * What may be handed to `$1`. The rule is one for both stores:
 * - `null` and `undefined` are NULL; strings, numbers, bigints and booleans go as their text, and take the type of their place;
 * - a `Date` goes as a `timestamptz`; a `Uint8Array` as a `bytea`;
 * - every other object, and **every array**, goes as its JSON: for `jsonb`, or unfolded with `jsonb_to_recordset($1)`;
 * - a PostgreSQL array is written with `textArray(…)`: `where id = any($1::text[])`;
 * - a JSON value that is a bare string goes as `JSON.stringify(value)`: a string is never quoted for you.
 */
export type Param = null | undefined | string | number | bigint | boolean | Date | Uint8Array | object

/**
 * Statements on the store, in or out of a transaction: what repositories take. One statement a call, PostgreSQL's dialect.
 *
 * Rows come back, on both stores, with: `bigint`, `integer`, `oid` and floats as number (a `bigint` beyond 2^53 is refused: cast it to
 * text); `numeric` as text; `timestamptz` as **milliseconds since 1970** (a number, microseconds dropped; `infinity` as ±Infinity);
 * `json` and `jsonb` as plain JSON; `bytea` as `Uint8Array`; `text[]` and arrays of the types above as arrays; all else as text.
 *
 * Failures: `store-unavailable` (later), `store-timeout` (later), `store-conflict` (now), `store-constraint` (never; `fields.constraint`),
 * `store-denied` (never), `store-statement` (never: a defect).
 */
export type Sql = {
  readonly kind: 'pglite' | 'postgres'
  query<Row extends object = Record<string, unknown>>(text: string, params?: readonly Param[]): Promise<Row[]>
  /**
   * All of `work` or nothing; resolves when it is durable. Inside `work` only the handed `Sql` may be used: a statement on the outer one is
   * refused (it would wait for itself). On the handed one, `transaction` opens a savepoint. READ COMMITTED.
   */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>
}

/** An open store. */
export type Store = Sql & {
  /** Many statements in one text, without parameters, in one transaction of their own. */
  script(text: string): Promise<void>
  /** `heard` gets each payload that is notified on `channel` (lower-case letters, digits, `_`), also after a reconnect; what was notified while the connection was down is lost, and `heard` gets `''` once for it. Resolves to the function that stops it. */
  listen(channel: string, heard: (payload: string) => void): Promise<() => Promise<void>>
  /**
   * Takes the session advisory lock (`space`, `key`: int4), which PostgreSQL holds until it is released, the connection breaks or this process dies.
   * `lost` is called once if it goes without being released. Failures: `store-lock-taken`, if another session holds it; `store-unavailable`.
   */
  holdLock(space: number, key: number, lost: () => void): Promise<() => Promise<void>>
  close(): Promise<void>
}

/** A PostgreSQL array literal. */
export function textArray(items: readonly (string | number)[]): string {
  return `{${items.map((item) => `"${String(item).replace(/["\\]/g, '\\$&')}"`).join(',')}}`
}

export function checkChannel(channel: string): void {
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(channel)) throw new TypeError(`not a channel's name: ${channel}`)
}
