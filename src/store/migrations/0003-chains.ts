import type { Migration } from './migration.ts'

/** Records of every kind on one chain an environment; its end is a row of its own, so that checkpoints may be few and come later. */
export const chains: Migration = {
  version: 3,
  name: 'chains',
  sql: `
    alter table record drop constraint record_run_key;
    alter table record alter column run drop not null;
    alter table record add column kind text not null default 'run';
    alter table record add column modules text[] not null default '{}';
    alter table record add column at bigint not null default 0;
    update record set at = coalesce(run.ended_at, 0) from run where run.id = record.run;
    update record set modules = (select coalesce(array_agg(module order by module), '{}') from run_module where run_module.run = record.run);
    create unique index record_run on record (run) where kind = 'run';
    create index record_at on record (environment, at);

    -- Where a chain ends. The frontier is the one from which its tree grows; published: how many records the last published head covers.
    create table chain (
      environment text primary key,
      size bigint not null,
      head text,
      frontier jsonb not null,
      published bigint not null default 0,
      published_at bigint not null default 0
    );
    insert into chain (environment, size, head, frontier)
      select distinct on (c.environment) c.environment, c.size, r.digest, c.frontier
      from checkpoint c join record r on r.environment = c.environment and r.seq = c.size - 1
      order by c.environment, c.size desc;
    alter table checkpoint drop column frontier;
    -- It stays when a newer one is signed.
    alter table checkpoint add column kept boolean not null default false;
  `,
}
