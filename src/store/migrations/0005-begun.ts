import type { Migration } from './migration.ts'

/** Creations that have begun and are not in the inventory: what was sent, to recognise it by where no answer came. */
export const begun: Migration = {
  version: 5,
  name: 'begun',
  sql: `
    create table begun (
      place text not null,
      key text not null,
      run text not null,
      environment text not null,
      module text not null,
      effect jsonb not null,
      declared jsonb not null,
      at bigint not null,
      primary key (place, key, run)
    );
    create index begun_module on begun (environment, module);
  `,
}
