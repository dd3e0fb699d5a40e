CREATE TABLE webhook_receivers (
  address_hash {key} NOT NULL PRIMARY KEY,
  failing_since {int},
  failures {int} NOT NULL,
  error {text},
  disabled_at {int}
);
