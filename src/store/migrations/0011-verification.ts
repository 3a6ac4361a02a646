import type { Migration } from './migration.ts'

/** Verification that goes on: samples, what each probe says and since when, and what people have to be told. */
export const verification: Migration = {
  version: 11,
  name: 'verification',
  sql: `
    create table sample (
      environment text not null,
      module text not null,
      probe text not null,
      at bigint not null,
      verdict text not null,
      run text,
      sample jsonb not null
    );
    create index sample_probe on sample (environment, module, probe, at);
    create index sample_at on sample using brin (at);

    -- What a probe says now. The onset is when it was first seen to be so; flips are the newest changes of its verdict.
    create table probe_state (
      environment text not null,
      module text not null,
      probe text not null,
      kind text not null,
      verdict text not null,
      onset bigint not null,
      asked_at bigint not null,
      last_before bigint,
      causes jsonb not null default '[]',
      flips jsonb not null default '[]',
      sample jsonb,
      primary key (environment, module, probe)
    ) with (fillfactor = 70);

    -- What people are to be told, in the transaction of what it tells of.
    create table notification (
      seq bigint generated always as identity primary key,
      at bigint not null,
      kind text not null,
      environment text not null,
      module text not null,
      body jsonb not null,
      sent_at bigint
    );
    create index notification_open on notification (seq) where sent_at is null;

    -- When it was last looked at, until when that counts, and since when it does not because something changed underneath.
    alter table module_status add column verified_at bigint;
    alter table module_status add column stale_at bigint;
    alter table module_status add column moved_at bigint;
    alter table module_status add column moved_why text;
  `,
}
