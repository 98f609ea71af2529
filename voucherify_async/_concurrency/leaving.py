"""What is left in the middle: generators, those inside them included, and tasks."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final, TypeVar

import anyio
import sniffio

T = TypeVar("T")

_BUFFERED: Final = 64


@asynccontextmanager
async def leaving(generator: AsyncGenerator[T, None]) -> AsyncIterator[AsyncGenerator[T, None]]:
    """End a generator with the block, wherever it stands.

    `aclose` ends the outermost generator alone. The ones that it iterates over, as HTTP libraries
    nest them, would be left to the garbage collector, of which trio warns. Reading on while being
    cancelled raises in the innermost one, and so ends them all.
    """
    try:
        yield generator
    finally:
        if getattr(generator, "ag_frame", None) is not None:
            with anyio.CancelScope(shield=True) as scope:
                scope.cancel()
                await _read_on(generator)
        with anyio.CancelScope(shield=True):
            await generator.aclose()


def is_being_cancelled() -> bool:
    """Whether the cancellation at hand is meant for the task that runs.

    On asyncio whoever waits for a task gets the cancellation of that task too. On trio a
    cancellation never leaves its own scope.
    """
    if sniffio.current_async_library() != "asyncio":
        return True
    import asyncio

    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


async def _read_on(generator: AsyncGenerator[T, None]) -> None:
    with suppress(Exception):
        # What has been received already comes without waiting, and so without being cancelled.
        for _ in range(_BUFFERED):
            await anext(generator)
