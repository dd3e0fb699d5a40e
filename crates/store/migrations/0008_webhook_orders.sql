ALTER TABLE webhook_deliveries ADD COLUMN order_id {int};
UPDATE webhook_deliveries SET order_id = (SELECT order_id FROM webhook_events WHERE id = event_id);
CREATE INDEX webhook_deliveries_order ON webhook_deliveries (order_id);
