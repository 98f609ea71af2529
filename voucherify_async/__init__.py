"""An async client for the Voucherify API."""
