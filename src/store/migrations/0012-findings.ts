import type { Migration } from './migration.ts'

/** Drift: what is watched, what was found, and what became of it. Times are milliseconds since 1970. */
export const findings: Migration = {
  version: 12,
  name: 'findings',
  sql: `
    alter table inventory add column api_version text;
    create index inventory_place on inventory (place, environment, key);
    create index effect_key on effect (key);

    -- How the watch of a target stands; who holds the lease of its key in the work queue writes it.
    create table watch (
      environment text not null,
      target text not null,
      driver text not null,
      state text not null,
      since bigint not null,
      failure jsonb,
      objects integer not null default 0,
      listed_at bigint,
      primary key (environment, target, driver)
    );

    create table finding (
      id text primary key,
      environment text not null,
      place text not null,
      object text not null,
      cause text not null,
      module text not null,
      state text not null,
      run text,
      updated_at bigint not null,
      body jsonb not null
    );
    -- One finding an object and cause.
    create unique index finding_open on finding (environment, place, object, cause) where state <> 'resolved';
    create index finding_object on finding (environment, place, object);
    create index finding_updated on finding (updated_at);
    create index finding_run on finding (run) where run is not null;

    -- What became of findings, in order; and whether it is on the environment's chain yet.
    create table finding_change (
      seq bigint generated always as identity primary key,
      finding text not null references finding (id),
      environment text not null,
      at bigint not null,
      what text not null,
      actor text not null,
      reason text not null,
      body jsonb not null,
      recorded boolean not null default false
    );
    create index finding_change_finding on finding_change (finding, seq);
    create index finding_change_unrecorded on finding_change (environment, seq) where not recorded;

    -- The last digest of findings that was told of an environment.
    create table drift_told (
      environment text primary key,
      at bigint not null,
      seq bigint not null
    );
  `,
}
