"""Which event loop it is that runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from anyio.lowlevel import current_token
from sniffio import current_async_library


def membership() -> Callable[[], bool]:
    """Tells later on, at hardly any cost, whether the event loop of now is the one that runs."""
    loop = current_token().native_token
    if current_async_library() == "asyncio":
        from .asyncio_tasks import is_running

        return partial(is_running, loop)
    return lambda: current_token().native_token is loop
