CREATE TABLE saved_views (
  account {key} NOT NULL,
  name {key} NOT NULL,
  query {text} NOT NULL,
  PRIMARY KEY (account, name)
) {clustered};
