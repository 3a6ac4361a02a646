import type { Migration } from './migration.ts'

/** Why a run goes back to an older snapshot: null for every other run. */
export const rollback: Migration = {
  version: 15,
  name: 'rollback',
  sql: `
    alter table run add column rollback jsonb;
    create index run_rollback on run (environment) where kind = 'rollback';
  `,
}
