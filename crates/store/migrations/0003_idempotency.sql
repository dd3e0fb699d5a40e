CREATE TABLE idempotent_requests (
  account {key} NOT NULL,
  request_key {key} NOT NULL,
  request_hash {key} NOT NULL,
  answer {text} NOT NULL,
  created_at {int} NOT NULL,
  PRIMARY KEY (account, request_key)
) {clustered};
CREATE INDEX idempotent_requests_age ON idempotent_requests (created_at);
