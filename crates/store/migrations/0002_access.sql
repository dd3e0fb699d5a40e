CREATE TABLE users (
  id {id} NOT NULL PRIMARY KEY,
  email {key} NOT NULL,
  role {int} NOT NULL,
  password_hash {text} NOT NULL,
  created_at {int} NOT NULL,
  disabled_at {int}
);
CREATE UNIQUE INDEX users_email ON users (email);

CREATE TABLE api_tokens (
  id {id} NOT NULL PRIMARY KEY,
  name {key} NOT NULL,
  user_id {int},
  role {int} NOT NULL,
  hash {key} NOT NULL,
  created_at {int} NOT NULL,
  expires_at {int},
  last_used_at {int},
  revoked_at {int}
);
CREATE UNIQUE INDEX api_tokens_hash ON api_tokens (hash);
CREATE UNIQUE INDEX api_tokens_name ON api_tokens (name);

CREATE TABLE operator_actions (
  id {id} NOT NULL PRIMARY KEY,
  at {int} NOT NULL,
  actor {key} NOT NULL,
  kind {key} NOT NULL,
  subject {key} NOT NULL,
  value_before {text},
  value_after {text}
);
