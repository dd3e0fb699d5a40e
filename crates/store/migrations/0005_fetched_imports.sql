ALTER TABLE imports ADD COLUMN origin {text};
ALTER TABLE imports ADD COLUMN etag {text};
ALTER TABLE imports ADD COLUMN bytes_fetched {int} NOT NULL DEFAULT 0;
ALTER TABLE imports ADD COLUMN forced {int} NOT NULL DEFAULT 0;
ALTER TABLE imports ADD COLUMN same_as {int};
