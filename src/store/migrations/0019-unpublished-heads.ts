import type { Migration } from './migration.ts'

/** Why the newest head of a chain could not be published; null where it could, or was not tried yet. */
export const unpublishedHeads: Migration = {
  version: 19,
  name: 'unpublished-heads',
  sql: `alter table chain add column publish_failure jsonb;`,
}
