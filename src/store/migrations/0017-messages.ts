import type { Migration } from './migration.ts'

/** Notifications are handed to channels, which send them each by itself; see `notifications.ts`. */
export const messages: Migration = {
  version: 17,
  name: 'messages',
  sql: `
    alter table notification alter column module drop not null;
    -- What was written before there were channels is nobody's news any more.
    update notification set sent_at = at where sent_at is null;
    drop index notification_open;
    create index notification_open on notification (environment, seq) where sent_at is null;
    create table message (
      notification bigint not null references notification (seq) on delete cascade,
      channel text not null,
      ended_at bigint,
      -- Why it was given up.
      failure jsonb,
      primary key (notification, channel)
    );
    create index message_open on message (channel, notification) where ended_at is null;
  `,
}
