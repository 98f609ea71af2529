"""A task that runs beside its caller and may be dropped at any moment.

A listing reads ahead while its caller works on a page, so the reading spans the caller's own code.
A task group cannot do that from inside an async generator: leaving the loop early would end the
group in another task than began it. This starts a task of the running event loop instead.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import copy_context
from typing import Any, Generic, TypeVar, cast

import anyio
import sniffio
from anyio.lowlevel import current_token

T = TypeVar("T")


class BackgroundTask(Generic[T]):
    """Runs `work` at once; its result or error waits to be asked for."""

    def __init__(self, work: Callable[[], Awaitable[T]]) -> None:
        self._work = work
        self._scope = anyio.CancelScope()
        self._done = anyio.Event()
        self._value: T | None = None
        self._error: Exception | None = None
        self._loop: Any = current_token().native_token
        self._task = _spawn(self._run)

    async def result(self) -> T:
        """Wait for the end of the work.

        Returns:
            What it returned.

        Raises:
            Exception: What it raised.
        """
        await self._done.wait()
        if self._error is not None:
            raise self._error
        return cast("T", self._value)

    def cancel(self) -> None:
        """End the work without waiting for it; also from a finalizer, which runs in any thread."""
        asyncio_way = getattr(self._loop, "call_soon_threadsafe", None)
        # Where the loop has ended, so has the task.
        with suppress(RuntimeError):
            (asyncio_way or self._loop.run_sync_soon)(self._scope.cancel)

    async def _run(self) -> None:
        try:
            with self._scope:
                self._value = await self._work()
        except Exception as error:  # noqa: BLE001 - handed to whoever asks for the result
            self._error = error
        finally:
            self._done.set()


def _spawn(run: Callable[[], Awaitable[None]]) -> object:
    if sniffio.current_async_library() == "trio":
        import trio

        return trio.lowlevel.spawn_system_task(run, context=copy_context())
    return cast("Any", current_token().native_token).create_task(run())
