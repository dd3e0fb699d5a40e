//! The HTTP server: health, signed webhooks, the payment simulator.
