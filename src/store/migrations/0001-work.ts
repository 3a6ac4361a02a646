import type { Migration } from './migration.ts'

/** The work queue; see `queue.ts`. Times are milliseconds since 1970, by the clock of who writes. */
export const work: Migration = {
  version: 1,
  name: 'work',
  sql: `
    create sequence work_worker as integer cycle;
    create sequence work_fence;
    create table work (
      key text primary key,
      due bigint not null,
      gen bigint not null default 1,
      owner integer,
      lease bigint,
      attempts integer not null default 0,
      fence bigint not null default 0,
      check ((owner is null) = (lease is null))
    ) with (fillfactor = 70);
    create index work_due on work (due) where owner is null;
    create index work_owner on work (owner) where owner is not null;
  `,
}
