CREATE TABLE order_feed (
  id {id} NOT NULL PRIMARY KEY,
  number {int},
  told_at {int} NOT NULL,
  events {text} NOT NULL
);
CREATE INDEX order_feed_number ON order_feed (number, id);

CREATE TABLE order_feed_counter (
  id {id} NOT NULL PRIMARY KEY,
  numbered {int} NOT NULL,
  pruned {int} NOT NULL
);
INSERT INTO order_feed_counter (id, numbered, pruned) VALUES (1, 0, 0);
