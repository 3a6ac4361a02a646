import type { Migration } from './migration.ts'

/** What tells, without telling them, whether a process has the keys that this store was written with. */
export const fingerprints: Migration = {
  version: 6,
  name: 'fingerprints',
  sql: `
    create table key_fingerprint (
      name text primary key,
      fingerprint text not null,
      at bigint not null
    );
  `,
}
