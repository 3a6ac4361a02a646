-- The lines of an order.
create table order_items (
  order_id bigint not null references orders (id) on delete cascade,
  line int not null check (line > 0),
  article text not null,
  quantity int not null check (quantity > 0),
  price_cents bigint not null check (price_cents >= 0),
  primary key (order_id, line)
);
