CREATE TABLE kpi_feed (
  id {id} NOT NULL PRIMARY KEY,
  batch {int},
  size {int} NOT NULL,
  facts {text} NOT NULL,
  created_at {int} NOT NULL
);
CREATE INDEX kpi_feed_batch ON kpi_feed (batch, id);
CREATE TABLE kpi_counter (
  id {id} NOT NULL PRIMARY KEY,
  numbered {int} NOT NULL,
  pruned {int} NOT NULL,
  generation {int} NOT NULL,
  epoch {int} NOT NULL,
  home {int} NOT NULL
);
INSERT INTO kpi_counter (id, numbered, pruned, generation, epoch, home) VALUES (1, 0, 0, 0, 0, 1);
