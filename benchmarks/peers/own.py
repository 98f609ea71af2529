"""The library's own client, in every way that it is measured."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from voucherify_async import AsyncVoucherify

CONNECTIONS = 100
"""How many any client may have open, but ours as it comes, which has 20."""
SECONDS = 300.0
"""No practical time limit, so that clients differ in their own cost alone."""

_WIDE = {"max_concurrency": CONNECTIONS}
SETTINGS: dict[str, dict[str, Any]] = {
    "ours": {},
    "ours_wide": _WIDE,
    **{
        f"ours_{backend}": {**_WIDE, "http_backend": backend}
        for backend in ("httpx2", "aiohttp", "pyreqwest", "auto")
    },
}
"""By the name of the peer: what is set apart from the defaults."""


def client(peer: str, url: str, **more: Any) -> AbstractAsyncContextManager[AsyncVoucherify]:
    """One of them.

    Raises:
        ModuleNotFoundError: Its HTTP library is not installed.
    """
    settings = SETTINGS[peer]
    backend = settings.get("http_backend", "auto")
    if backend != "auto":
        # Named as missing where it is, instead of failing by our error.
        import_module(backend)
    from voucherify_async import AsyncVoucherify

    return AsyncVoucherify("bench", "bench", base_url=url, timeout=SECONDS, **settings, **more)
