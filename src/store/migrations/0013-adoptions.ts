import type { Migration } from './migration.ts'

/** What is on its way back to Git: one for a finding. */
export const adoptions: Migration = {
  version: 13,
  name: 'adoptions',
  sql: `
    create table adoption (
      finding text primary key references finding (id),
      state text not null,
      body jsonb not null
    );
  `,
}
