CREATE INDEX customer_leaders_by_score ON customer_leaders (series, net DESC, reached_at, customer_id);
