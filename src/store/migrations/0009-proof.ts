import type { Migration } from './migration.ts'

/** How a module is proven where it is delivered: what another way is held against. */
export const proof: Migration = {
  version: 9,
  name: 'proof',
  sql: `
    create table proof (
      environment text not null,
      module text not null,
      how jsonb not null,
      primary key (environment, module)
    );
  `,
}
