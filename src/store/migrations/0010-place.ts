import type { Migration } from './migration.ts'

/** Which place was behind an address when it could be told: what it is called does not depend on what may be read today. */
export const place: Migration = {
  version: 10,
  name: 'place',
  sql: `
    create table place (
      driver text not null,
      address text not null,
      name text not null,
      primary key (driver, address)
    );
  `,
}
