"""The command `voucherify-async`; needs the extra `cli`."""
