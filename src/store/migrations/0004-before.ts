import type { Migration } from './migration.ts'

/** What probes found before a run's first effect. */
export const before: Migration = {
  version: 4,
  name: 'before',
  sql: `
    create table probe_before (
      run text not null references run (id),
      module text not null,
      probe text not null,
      sample jsonb not null,
      primary key (run, module, probe)
    );
    create index probe_before_module on probe_before (module, probe);
  `,
}
