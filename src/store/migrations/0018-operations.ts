import type { Migration } from './migration.ts'

/** Operations: which one a run carries out, the journal of its steps, and when each is due by its schedule. */
export const operations: Migration = {
  version: 18,
  name: 'operations',
  sql: `
    alter table run add column operation jsonb;
    create index run_operation on run (environment, (operation ->> 'name'), seq) where kind = 'operation';

    create table operation_step (
      run text not null references run (id),
      position integer not null,
      name text not null,
      kind text not null,
      state text not null,
      message text,
      failure jsonb,
      probes jsonb not null default '[]',
      started_at bigint,
      ended_at bigint,
      primary key (run, position)
    );

    create table operation_schedule (
      environment text not null,
      operation text not null,
      schedule text not null,
      next_at bigint not null,
      primary key (environment, operation)
    );
  `,
}
