"""A task that runs beside its caller and may be dropped at any moment.

A listing reads ahead while its caller works on a page, so the reading spans the caller's own code.
A task group cannot do that from inside an async generator: leaving the loop early would end the
group in another task than began it. This starts a task of the running event loop instead.

Anybody may cancel such a task, as code does that cancels every task at shutdown, even before its
first step. Whoever asks for its result is told.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import copy_context
from typing import Any, Generic, TypeVar, cast

import anyio
import sniffio
from anyio.lowlevel import current_token

from ..errors import BackgroundCancelledError

T = TypeVar("T")


class BackgroundTask(Generic[T]):
    """Runs `work` at once; its result or error waits to be asked for.

    Args:
        work: What to do.
        on_end: Called once at the end, with the error if there is one; `cancel` does not make one.
    """

    def __init__(
        self,
        work: Callable[[], Awaitable[T]],
        on_end: Callable[[Exception | None], None] | None = None,
    ) -> None:
        self._work = work
        self._on_end = on_end
        self._scope = anyio.CancelScope()
        self._done = anyio.Event()
        self._is_dropped = False
        self._value: T | None = None
        self._error: Exception | None = BackgroundCancelledError(
            "A task that the library runs beside its caller was cancelled from outside"
        )
        self._loop: Any = current_token().native_token
        self._task = _spawn(self._run, self._finish)

    async def result(self) -> T:
        """Wait for the end of the work.

        Returns:
            What it returned.

        Raises:
            Exception: What it raised.
            BackgroundCancelledError: It was cancelled.
        """
        await self._done.wait()
        if self._error is not None:
            raise self._error
        return cast("T", self._value)

    async def ended(self) -> None:
        """Wait for the end of the work, however it ended."""
        await self._done.wait()

    def cancel(self) -> None:
        """End the work without waiting for it; also from a finalizer, which runs in any thread."""
        self._is_dropped = True
        asyncio_way = getattr(self._loop, "call_soon_threadsafe", None)
        # Where the loop has ended, so has the task.
        with suppress(RuntimeError):
            (asyncio_way or self._loop.run_sync_soon)(self._scope.cancel)

    async def _run(self) -> None:
        try:
            with self._scope:
                self._value = await self._work()
                self._error = None
        except Exception as error:  # noqa: BLE001 - handed to whoever asks for the result
            self._error = error
        finally:
            self._finish()

    def _finish(self, _: object = None) -> None:
        if not self._done.is_set():
            self._done.set()
            if self._on_end is not None:
                self._on_end(None if self._is_dropped else self._error)


def _spawn(run: Callable[[], Awaitable[None]], finish: Callable[[object], None]) -> object:
    if sniffio.current_async_library() == "trio":
        import trio

        return trio.lowlevel.spawn_system_task(run, context=copy_context())
    task = cast("Any", current_token().native_token).create_task(run())
    # A task that is cancelled before its first step never runs at all.
    task.add_done_callback(finish)
    return task
