import type { Migration } from './migration.ts'

/** What audit sources told of writes to what is held, for a day. Times are milliseconds since 1970. */
export const audit: Migration = {
  version: 16,
  name: 'audit',
  sql: `
    create table audit_entry (
      environment text not null,
      target text not null,
      id text not null,
      object text not null,
      verb text not null,
      by_user text not null,
      manager text,
      at bigint not null,
      primary key (environment, target, id)
    );
    create index audit_entry_object on audit_entry (environment, target, object, at);
    create index audit_entry_at on audit_entry (at);
  `,
}
