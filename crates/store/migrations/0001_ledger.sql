CREATE TABLE instance (
  name {key} NOT NULL PRIMARY KEY,
  value {text} NOT NULL
) {clustered};

CREATE TABLE customers (
  id {id} NOT NULL PRIMARY KEY,
  source {key},
  external_id {key},
  email {key},
  name {text},
  created_at {int} NOT NULL
);
CREATE UNIQUE INDEX customers_external ON customers (source, external_id);
CREATE UNIQUE INDEX customers_email ON customers (email);

CREATE TABLE products (
  id {id} NOT NULL PRIMARY KEY,
  sku {key} NOT NULL,
  name {text} NOT NULL,
  price {int},
  currency {key},
  tracked {int} NOT NULL,
  on_hand {int} NOT NULL,
  reserved {int} NOT NULL,
  created_at {int} NOT NULL,
  CHECK (reserved >= 0),
  CHECK (reserved <= on_hand)
);
CREATE UNIQUE INDEX products_sku ON products (sku);

CREATE TABLE stock_movements (
  cause_kind {int} NOT NULL,
  cause_id {int} NOT NULL,
  cause_line {int} NOT NULL,
  kind {int} NOT NULL,
  product_id {int} NOT NULL,
  quantity {int} NOT NULL,
  at {int} NOT NULL,
  note {text},
  PRIMARY KEY (cause_kind, cause_id, cause_line, kind)
) {clustered};

CREATE TABLE orders (
  id {id} NOT NULL PRIMARY KEY,
  source {key} NOT NULL,
  external_id {key} NOT NULL,
  customer_id {int} NOT NULL,
  currency {key} NOT NULL,
  status {int} NOT NULL,
  fail_reason {int},
  payment {int} NOT NULL,
  fulfilment {int} NOT NULL,
  version {int} NOT NULL,
  subtotal {int} NOT NULL,
  discount {int} NOT NULL,
  shipping {int} NOT NULL,
  tax {int} NOT NULL,
  tax_included {int} NOT NULL,
  adjustment {int} NOT NULL,
  total {int} NOT NULL,
  captured {int} NOT NULL,
  refunded {int} NOT NULL,
  refund_pending {int} NOT NULL,
  surplus_refunded {int} NOT NULL,
  units {int} NOT NULL,
  units_shipped {int} NOT NULL,
  units_refunded {int} NOT NULL,
  units_refund_pending {int} NOT NULL,
  units_released {int} NOT NULL,
  units_release_pending {int} NOT NULL,
  units_returned {int} NOT NULL,
  placed_at {int} NOT NULL,
  created_at {int} NOT NULL,
  confirmed_at {int},
  import_id {int},
  import_line {int},
  stock_untracked {int} NOT NULL,
  notify {int} NOT NULL,
  content_hash {blob},
  details {text},
  CHECK (refunded + refund_pending <= captured),
  CHECK (refunded >= 0 AND refund_pending >= 0)
);
CREATE UNIQUE INDEX orders_external ON orders (source, external_id);
CREATE INDEX orders_customer ON orders (customer_id, id);
CREATE INDEX orders_placed ON orders (placed_at, id);

CREATE TABLE order_lines (
  order_id {int} NOT NULL,
  line_no {int} NOT NULL,
  product_id {int} NOT NULL,
  sku {key} NOT NULL,
  name {text} NOT NULL,
  quantity {int} NOT NULL,
  unit_price {int} NOT NULL,
  discount {int} NOT NULL,
  tax {int} NOT NULL,
  total {int} NOT NULL,
  shipped {int} NOT NULL,
  refunded {int} NOT NULL,
  refund_pending {int} NOT NULL,
  PRIMARY KEY (order_id, line_no),
  CHECK (refunded + refund_pending <= quantity),
  CHECK (shipped <= quantity)
) {clustered};

CREATE TABLE order_events (
  order_id {int} NOT NULL,
  version {int} NOT NULL,
  kind {int} NOT NULL,
  at {int} NOT NULL,
  actor {key} NOT NULL,
  before_state {int},
  after_state {int} NOT NULL,
  data {text},
  PRIMARY KEY (order_id, version)
) {clustered};

CREATE TABLE payments (
  order_id {int} NOT NULL,
  attempt {int} NOT NULL,
  status {int} NOT NULL,
  amount {int} NOT NULL,
  currency {key} NOT NULL,
  captured {int} NOT NULL,
  reference {key},
  deadline {int},
  created_at {int} NOT NULL,
  decided_at {int},
  reason {text},
  imported {int} NOT NULL,
  PRIMARY KEY (order_id, attempt)
) {clustered};

CREATE TABLE payment_deadlines (
  deadline {int} NOT NULL,
  order_id {int} NOT NULL,
  attempt {int} NOT NULL,
  PRIMARY KEY (deadline, order_id, attempt)
) {clustered};

CREATE TABLE refunds (
  id {id} NOT NULL PRIMARY KEY,
  account {key} NOT NULL,
  refund_key {key} NOT NULL,
  request_hash {blob} NOT NULL,
  order_id {int} NOT NULL,
  payment_attempt {int},
  amount {int} NOT NULL,
  shipping {int} NOT NULL,
  currency {key} NOT NULL,
  status {int} NOT NULL,
  cause {int} NOT NULL,
  restock {int} NOT NULL,
  surplus {int} NOT NULL,
  reason {text},
  actor {key} NOT NULL,
  reference {key},
  error {text},
  requested_at {int} NOT NULL,
  settled_at {int},
  imported {int} NOT NULL
);
CREATE UNIQUE INDEX refunds_key ON refunds (account, refund_key);
CREATE INDEX refunds_order ON refunds (order_id, id);

CREATE TABLE refund_lines (
  refund_id {int} NOT NULL,
  line_no {int} NOT NULL,
  product_id {int} NOT NULL,
  quantity {int} NOT NULL,
  amount {int} NOT NULL,
  restock {int} NOT NULL,
  PRIMARY KEY (refund_id, line_no)
) {clustered};

CREATE TABLE shipments (
  id {id} NOT NULL PRIMARY KEY,
  order_id {int} NOT NULL,
  status {int} NOT NULL,
  carrier {text},
  tracking {text},
  shipped_at {int} NOT NULL,
  delivered_at {int}
);
CREATE INDEX shipments_order ON shipments (order_id, id);

CREATE TABLE shipment_lines (
  shipment_id {int} NOT NULL,
  line_no {int} NOT NULL,
  product_id {int} NOT NULL,
  quantity {int} NOT NULL,
  PRIMARY KEY (shipment_id, line_no)
) {clustered};

CREATE TABLE notifications (
  id {id} NOT NULL PRIMARY KEY,
  order_id {int} NOT NULL,
  kind {int} NOT NULL,
  cause {int} NOT NULL,
  channel {int} NOT NULL,
  recipient {key} NOT NULL,
  status {int} NOT NULL,
  subject {text},
  body {blob},
  attempts {int} NOT NULL,
  possible_duplicate {int} NOT NULL,
  error {text},
  resend_of {int},
  created_at {int} NOT NULL,
  attempted_at {int},
  sent_at {int}
);
CREATE UNIQUE INDEX notifications_cause ON notifications (order_id, kind, cause, channel, recipient);

CREATE TABLE notification_failures (
  notification_id {int} NOT NULL,
  attempt {int} NOT NULL,
  started_at {int} NOT NULL,
  outcome {key} NOT NULL,
  error {text},
  PRIMARY KEY (notification_id, attempt)
) {clustered};

CREATE TABLE webhook_events (
  id {key} NOT NULL PRIMARY KEY,
  kind {key} NOT NULL,
  order_id {int},
  received_at {int} NOT NULL,
  body {blob} NOT NULL
) {clustered};

CREATE TABLE webhook_deliveries (
  id {id} NOT NULL PRIMARY KEY,
  event_id {key},
  received_at {int} NOT NULL,
  verdict {int} NOT NULL,
  reason {text},
  body {blob}
);

CREATE TABLE imports (
  id {id} NOT NULL PRIMARY KEY,
  source {key} NOT NULL,
  profile {key} NOT NULL,
  file_name {text} NOT NULL,
  path {text} NOT NULL,
  spooled {int} NOT NULL,
  file_hash {blob} NOT NULL,
  file_bytes {int} NOT NULL,
  options {text} NOT NULL,
  status {int} NOT NULL,
  plan {text},
  rows_total {int} NOT NULL,
  bytes_total {int} NOT NULL,
  error {text},
  rejects_of {int},
  created_at {int} NOT NULL,
  started_at {int},
  finished_at {int}
);
CREATE INDEX imports_file ON imports (file_hash);

CREATE TABLE import_chunks (
  import_id {int} NOT NULL,
  chunk {int} NOT NULL,
  byte_offset {int} NOT NULL,
  byte_length {int} NOT NULL,
  first_line {int} NOT NULL,
  row_count {int} NOT NULL,
  state {int} NOT NULL,
  rows_imported {int} NOT NULL,
  rows_duplicate {int} NOT NULL,
  rows_rejected {int} NOT NULL,
  rows_skipped {int} NOT NULL,
  orders_imported {int} NOT NULL,
  orders_duplicate {int} NOT NULL,
  orders_differ {int} NOT NULL,
  orders_rejected {int} NOT NULL,
  done_at {int},
  PRIMARY KEY (import_id, chunk)
) {clustered};

CREATE TABLE import_rejects (
  import_id {int} NOT NULL,
  line {int} NOT NULL,
  position {int} NOT NULL,
  code {key} NOT NULL,
  field {key},
  message {text} NOT NULL,
  raw {text} NOT NULL,
  PRIMARY KEY (import_id, line, position)
) {clustered};

CREATE TABLE simulated_charges (
  charge_key {key} NOT NULL PRIMARY KEY,
  reference {key} NOT NULL,
  amount {int} NOT NULL,
  currency {key} NOT NULL,
  outcome {int} NOT NULL,
  due_at {int} NOT NULL,
  voided_at {int},
  refunded {int} NOT NULL,
  created_at {int} NOT NULL
) {clustered};

CREATE TABLE simulated_refunds (
  refund_key {key} NOT NULL PRIMARY KEY,
  charge_key {key} NOT NULL,
  reference {key} NOT NULL,
  amount {int} NOT NULL,
  created_at {int} NOT NULL
) {clustered};
