import { redactedTrouble } from '#model/redacted.ts'
import type { Redact } from '#model/redacted.ts'
import type { Param, Sql, Store } from './sql.ts'

/** The edge of the store: what systems said, and went wrong with, is written down without secrets. */
export function redactingStore(store: Store, redact: Redact): Store {
  return {
    ...redactingSql(store, redact),
    script: (text) => store.script(text),
    listen: (channel, heard) => store.listen(channel, heard),
    holdLock: (space, key, lost) => store.holdLock(space, key, lost),
    close: () => store.close(),
  }
}

function redactingSql(sql: Sql, redact: Redact): Sql {
  return {
    kind: sql.kind,
    query: (text, params) => sql.query(text, params?.map((param) => (isDocument(param) ? redactedTrouble(param, redact) : param))),
    transaction: (work) => sql.transaction((tx) => work(redactingSql(tx, redact))),
  }
}

function isDocument(param: Param): param is object {
  return typeof param === 'object' && param !== null && !(param instanceof Date) && !(param instanceof Uint8Array)
}
