"""The client of a command."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

from ..client import AsyncVoucherify
from ..errors import ConfigurationError

T = TypeVar("T")


def run(work: Callable[[AsyncVoucherify], Awaitable[T]]) -> T:
    """Run async work with a client that is set up by the environment alone.

    Raises:
        ConfigurationError: The environment has no credentials.
        KeyboardInterrupt: Ctrl-C; the work was cancelled and has ended.
    """
    names = ("VOUCHERIFY_APP_ID", "VOUCHERIFY_APP_TOKEN")
    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        raise ConfigurationError(
            f"set {' and '.join(missing)} in the environment (and VOUCHERIFY_BASE_URL unless the "
            "project is at https://api.voucherify.io)"
        )

    async def main() -> T:
        async with AsyncVoucherify() as client:
            return await work(client)

    return anyio.run(main)
