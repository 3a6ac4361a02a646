import type { Migration } from './migration.ts'

/** Which key signs a chain, and what is left of the records that were pruned. */
export const keysAndPruning: Migration = {
  version: 7,
  name: 'keys-and-pruning',
  sql: `
    -- The id of the key that signs it from here on: another one is refused until a record replaces it.
    alter table chain add column signer text;
    -- Null where nothing was pruned: {size, head, roots}.
    alter table chain add column start jsonb;
    -- How far each repository was told of the records, in notes on its commits.
    create table note_cursor (
      environment text not null,
      repository text not null,
      size bigint not null,
      primary key (environment, repository)
    );
  `,
}
