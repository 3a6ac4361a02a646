import type { Migration } from './migration.ts'

/** Findings keep what is known of who made each thing of theirs so: of those that are there already, nothing. */
export const traces: Migration = {
  version: 20,
  name: 'traces',
  sql: `update finding set body = body || '{"traces": []}' where not body ? 'traces'`,
}
