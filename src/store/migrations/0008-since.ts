import type { Migration } from './migration.ts'

/** Since when a module's two facts have been what they are. */
export const since: Migration = {
  version: 8,
  name: 'since',
  sql: `
    alter table module_status add column since bigint;
    update module_status set since = updated_at;
    alter table module_status alter column since set not null;
  `,
}
