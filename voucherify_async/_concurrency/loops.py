"""Which event loop it is that runs, and in which process."""

from __future__ import annotations

import os
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
    # In a forked child asyncio tells of no running loop, and trio of its parent's.
    process = os.getpid()
    return lambda: os.getpid() == process and current_token().native_token is loop
