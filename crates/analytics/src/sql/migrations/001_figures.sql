CREATE TABLE kpi_generations (
  id {id} NOT NULL PRIMARY KEY,
  time_zone {key} NOT NULL,
  live {int} NOT NULL,
  built_below {int}
);
CREATE TABLE kpi_series (
  id {id} NOT NULL PRIMARY KEY,
  generation {int} NOT NULL,
  currency {key} NOT NULL,
  floor_net {int},
  floor_reached_at {int},
  floor_customer {int},
  UNIQUE (generation, currency)
);
CREATE TABLE kpi_periods (
  series {int} NOT NULL,
  period {int} NOT NULL,
  start_day {int} NOT NULL,
  orders {int} NOT NULL,
  units {int} NOT NULL,
  gross {int} NOT NULL,
  refunds {int} NOT NULL,
  failed {int} NOT NULL,
  declined {int} NOT NULL,
  expired {int} NOT NULL,
  cancelled {int} NOT NULL,
  customers {int} NOT NULL,
  new_customers {int} NOT NULL,
  PRIMARY KEY (series, period, start_day),
  CHECK (gross BETWEEN -9007199254740991 AND 9007199254740991),
  CHECK (refunds BETWEEN -9007199254740991 AND 9007199254740991),
  CHECK (units BETWEEN -9007199254740991 AND 9007199254740991)
) {clustered};
CREATE TABLE customer_days (
  series {int} NOT NULL,
  day {int} NOT NULL,
  customer_id {int} NOT NULL,
  orders {int} NOT NULL,
  net {int} NOT NULL,
  reached_at {int} NOT NULL,
  PRIMARY KEY (series, day, customer_id)
) {clustered};
CREATE TABLE customer_months (
  series {int} NOT NULL,
  month {int} NOT NULL,
  customer_id {int} NOT NULL,
  orders {int} NOT NULL,
  net {int} NOT NULL,
  reached_at {int} NOT NULL,
  order_days {int} NOT NULL,
  PRIMARY KEY (series, month, customer_id)
) {clustered};
CREATE TABLE customer_totals (
  series {int} NOT NULL,
  customer_id {int} NOT NULL,
  orders {int} NOT NULL,
  net {int} NOT NULL,
  reached_at {int} NOT NULL,
  first_placed_at {int},
  first_order_id {int},
  last_day {int},
  PRIMARY KEY (series, customer_id)
) {clustered};
CREATE TABLE customer_leaders (
  series {int} NOT NULL,
  customer_id {int} NOT NULL,
  orders {int} NOT NULL,
  net {int} NOT NULL,
  reached_at {int} NOT NULL,
  PRIMARY KEY (series, customer_id)
) {clustered};
CREATE TABLE product_days (
  series {int} NOT NULL,
  day {int} NOT NULL,
  product_id {int} NOT NULL,
  units {int} NOT NULL,
  net {int} NOT NULL,
  reached_at {int} NOT NULL,
  PRIMARY KEY (series, day, product_id)
) {clustered};
CREATE TABLE product_months (
  series {int} NOT NULL,
  month {int} NOT NULL,
  product_id {int} NOT NULL,
  units {int} NOT NULL,
  net {int} NOT NULL,
  reached_at {int} NOT NULL,
  PRIMARY KEY (series, month, product_id)
) {clustered};
