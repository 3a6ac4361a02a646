import type { Migration } from './migration.ts'

/** What the path keeps. All times are milliseconds since 1970. */
export const path: Migration = {
  version: 2,
  name: 'path',
  sql: `
    create table repository (
      name text primary key,
      url text not null,
      branch text not null,
      head text,
      commit jsonb,
      checked_at bigint,
      failure jsonb
    );

    create table snapshot (
      seq bigint generated always as identity primary key,
      id text not null unique,
      commits jsonb not null,
      at bigint not null,
      problems jsonb not null default '[]'
    );

    -- What modules render to. `sealed` in place of `body` where a Secret's data is in it.
    create table bundle (
      key text primary key,
      body jsonb,
      sealed bytea,
      at bigint not null
    );

    -- The environment's configuration that gates stand on: a new one is gated by the one before it.
    create table policy (
      environment text primary key,
      config jsonb not null,
      snapshot text not null,
      at bigint not null
    );

    create table run (
      seq bigint generated always as identity primary key,
      id text not null unique,
      environment text not null,
      kind text not null,
      state text not null,
      waiting jsonb not null default '[]',
      snapshot text not null,
      actor text not null,
      reason text not null,
      ticket text,
      started_by text,
      changes jsonb not null default '[]',
      modules jsonb not null default '{}',
      plan jsonb,
      plan_digest text,
      gates jsonb not null default '[]',
      failure jsonb,
      created_at bigint not null,
      updated_at bigint not null,
      ended_at bigint,
      record_seq bigint,
      record_digest text
    );
    create index run_open on run (environment) where ended_at is null;

    create table run_module (
      run text not null references run (id),
      module text not null,
      outcome jsonb not null,
      probes jsonb not null default '[]',
      primary key (run, module)
    );

    -- The journal: an effect is `started` here before the driver is called, and `done` with its outcome after.
    create table effect (
      run text not null references run (id),
      module text not null,
      key text not null,
      position integer not null,
      state text not null,
      effect jsonb not null,
      outcome jsonb,
      started_at bigint,
      ended_at bigint,
      primary key (run, module, key)
    );

    create table inventory (
      place text not null,
      key text not null,
      uid text not null,
      environment text not null,
      module text not null,
      desired text not null,
      fields jsonb not null,
      run text not null,
      primary key (place, key)
    );
    create index inventory_module on inventory (environment, module);

    create table module_status (
      environment text not null,
      module text not null,
      repository text not null,
      track text not null,
      driver text not null,
      target text not null,
      delivery text not null,
      verification text not null,
      readiness_only boolean not null default false,
      -- what was last decided on, what was last delivered, and the newest snapshot that changes nothing of it
      intent text,
      delivered text,
      snapshot text,
      snapshot_seq bigint,
      run text,
      verified_since bigint,
      failure jsonb,
      pinned jsonb,
      updated_at bigint not null,
      primary key (environment, module)
    );

    create table approval (
      run text not null references run (id),
      principal text not null,
      plan_digest text not null,
      reason text not null,
      objects jsonb not null,
      at bigint not null,
      primary key (run, principal, plan_digest)
    );

    create table pause (
      id text primary key,
      environment text not null,
      module text,
      reason text not null,
      by text not null,
      created_at bigint not null,
      until bigint not null,
      ended_at bigint
    );

    create table principal (
      name text primary key,
      emails jsonb not null,
      grants jsonb not null,
      created_at bigint not null
    );

    create table token (
      hash text primary key,
      principal text not null references principal (name),
      created_at bigint not null,
      expires_at bigint
    );

    create table record (
      environment text not null,
      seq bigint not null,
      digest text not null,
      run text not null unique,
      text text not null,
      primary key (environment, seq)
    );

    create table checkpoint (
      environment text not null,
      size bigint not null,
      envelope jsonb not null,
      frontier jsonb not null,
      primary key (environment, size)
    );

    create table event (
      seq bigint generated always as identity primary key,
      at bigint not null,
      kind text not null,
      data jsonb not null
    );
  `,
}
