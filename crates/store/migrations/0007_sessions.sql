CREATE TABLE sessions (
  hash {key} NOT NULL PRIMARY KEY,
  user_id {int} NOT NULL,
  created_at {int} NOT NULL,
  last_seen_at {int} NOT NULL,
  expires_at {int} NOT NULL
) {clustered};
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE setup_links (
  hash {key} NOT NULL PRIMARY KEY,
  expires_at {int} NOT NULL
) {clustered};
