"""The official SDK, which blocks: sequential, or in threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def api(url: str, connections: int = 1) -> Any:
    """Its vouchers API, with a connection for each thread."""
    from voucherify.api.vouchers_api import VouchersApi
    from voucherify.api_client import ApiClient
    from voucherify.configuration import Configuration

    configuration = Configuration(host=url, api_key={"X-App-Id": "bench", "X-App-Token": "bench"})
    configuration.connection_pool_maxsize = connections
    return VouchersApi(ApiClient(configuration))


def lookup(url: str, connections: int) -> Callable[[str], object]:
    """A function that looks one voucher up; any number of threads may call it."""
    get: Callable[[str], object] = api(url, connections).get_voucher
    return get
