-- One row whose time is written every second on the primary: its age on a replica is the replica's lag.
create table replication_heartbeat (
  only_row boolean primary key default true check (only_row),
  at timestamptz not null
);

insert into replication_heartbeat (at) values (now());

grant select, insert, update, delete on orders, order_items to orders_app;
grant select on orders, order_items, replication_heartbeat to orders_probe;
