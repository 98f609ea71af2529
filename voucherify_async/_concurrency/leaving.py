"""Generators that are left in the middle, those inside them included."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final, TypeVar

import anyio

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


async def _read_on(generator: AsyncGenerator[T, None]) -> None:
    with suppress(Exception):
        # What has been received already comes without waiting, and so without being cancelled.
        for _ in range(_BUFFERED):
            await anext(generator)
