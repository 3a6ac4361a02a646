import type { Migration } from './migration.ts'

/** What ended is counted as it ends; see `tallies.ts`. */
export const tallies: Migration = {
  version: 14,
  name: 'tallies',
  sql: `
    create table run_tally (
      environment text not null,
      kind text not null,
      outcome text not null,
      count bigint not null,
      seconds double precision not null,
      -- How many took at most each of the bounds.
      buckets bigint[] not null,
      primary key (environment, kind, outcome)
    );
    create table delivery_tally (
      environment text not null,
      outcome text not null,
      count bigint not null,
      primary key (environment, outcome)
    );
  `,
}
