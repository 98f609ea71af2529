"""The pytest plugin under the name by which ``-p`` finds it beside the embedded server."""

from pytest_voucherify_async import fake_voucherify

__all__ = ["fake_voucherify"]
