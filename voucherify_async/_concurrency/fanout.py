"""Bounded fan-out: one function over a stream of inputs, its results as they complete.

Whoever iterates may stop at any moment, so that no task group may span the iteration: the workers
are background tasks, which dropping the iterator cancels.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final, Generic, Protocol, Self, TypeVar

import anyio
from anyio.lowlevel import checkpoint

from .background import BackgroundTask

_BURST: Final = 32

T = TypeVar("T")
In = TypeVar("In")
Out = TypeVar("Out")
T_co = TypeVar("T_co", covariant=True)


class Channel(Generic[T]):
    """A bounded queue with an end; unlike anyio's streams it may simply be dropped."""

    def __init__(self, size: int) -> None:
        self._items: deque[T] = deque()
        self._room = anyio.Semaphore(size, fast_acquire=True)
        self._arrived = anyio.Event()
        self._taken = 0
        self._has_ended = False
        self._error: Exception | None = None

    async def put(self, item: T) -> None:
        """Add an item, once there is room."""
        await self._room.acquire()
        self._items.append(item)
        self._arrived.set()

    def end(self, error: Exception | None = None) -> None:
        """Let `get` raise, after the items that are there, `error` or StopAsyncIteration."""
        self._has_ended, self._error = True, error
        self._arrived.set()

    async def get(self) -> T:
        """Take the oldest item. One task at a time waits for one.

        Raises:
            StopAsyncIteration: There are no more.
        """
        self._taken += 1
        if self._items or self._taken % _BURST == 0:
            # A reader that never has to wait would keep other tasks from running, and one that
            # waits in step with its writer would never be at rest when it is to be cancelled.
            await checkpoint()
        while not self._items:
            if self._error is not None:
                raise self._error
            if self._has_ended:
                raise StopAsyncIteration
            self._arrived = anyio.Event()
            await self._arrived.wait()
        self._room.release()
        return self._items.popleft()


class Source(Protocol[T_co]):
    """Where inputs come from, one at a time."""

    async def next(self) -> T_co:
        """The next one, or StopAsyncIteration."""
        ...

    def cancel(self) -> None:
        """There will be no further call."""
        ...

    async def ended(self) -> None:
        """Wait for the end of what was cancelled."""
        ...


class _Plain(Generic[T]):
    def __init__(self, items: Iterable[T]) -> None:
        self._items = iter(items)

    async def next(self) -> T:
        for item in self._items:
            return item
        raise StopAsyncIteration

    def cancel(self) -> None:
        """Nothing runs."""

    async def ended(self) -> None:
        """Nothing runs."""


@asynccontextmanager
async def closing(items: AsyncIterator[T]) -> AsyncIterator[AsyncIterator[T]]:
    """Close an iterator at the end, if it can be: nobody else holds a generator handed to us."""
    try:
        yield items
    finally:
        close = getattr(items, "aclose", None)
        if close is not None:
            await close()


class Feed(Generic[T]):
    """An async iterable, read by one task: what its author's code binds to a task stays in it.

    Args:
        items: What to read.
        size: How many items to read ahead.
    """

    def __init__(self, items: AsyncIterable[T], size: int = 1) -> None:
        self._items = items
        self._size = size
        self._channel: Channel[T] | None = None
        self._task: BackgroundTask[None] | None = None

    async def next(self) -> T:
        """The next item; the first call begins the reading."""
        if self._channel is None:
            self._channel = Channel(self._size)
            self._task = BackgroundTask(_Feeding(self._items, self._channel).run, self._channel.end)
        return await self._channel.get()

    def cancel(self) -> None:
        """End the reading without waiting for it."""
        if self._task is not None:
            self._task.cancel()

    async def ended(self) -> None:
        """Wait for the end of the reading."""
        if self._task is not None:
            await self._task.ended()


class _Feeding(Generic[T]):
    # Apart from the feed, which the running task would otherwise keep alive.
    def __init__(self, items: AsyncIterable[T], channel: Channel[T]) -> None:
        self._items = items
        self._channel = channel

    async def run(self) -> None:
        async with closing(aiter(self._items)) as items:
            async for item in items:
                await self._channel.put(item)


def source_of(items: Iterable[T] | AsyncIterable[T]) -> Source[T]:
    """A source over any iterable."""
    return Feed(items) if isinstance(items, AsyncIterable) else _Plain(items)


class _Work(Generic[In, Out]):
    """What the workers of one fan-out share; they hold it, and not the iterator over it."""

    def __init__(
        self, source: Source[In], work: Callable[[In], Awaitable[Out]], concurrency: int
    ) -> None:
        self.results: Channel[Out] = Channel(concurrency)
        self._source = source
        self._work = work
        self._concurrency = concurrency
        self._turn = anyio.Lock()
        self._workers: list[BackgroundTask[None]] = []
        self._alive = 0
        self._is_drained = False
        self._error: Exception | None = None

    def grow(self) -> None:
        """Start one more worker, unless there are enough."""
        if len(self._workers) < self._concurrency:
            self._alive += 1
            self._workers.append(BackgroundTask(self._run, self._worker_ended))

    def cancel(self) -> None:
        """End all of it without waiting."""
        # The workers notice being cancelled a moment later; until then they take nothing more.
        self._is_drained = True
        self._source.cancel()
        if self._alive:
            for worker in self._workers:
                worker.cancel()

    async def ended(self) -> None:
        """Wait for the end of every task."""
        await self._source.ended()
        for worker in self._workers:
            await worker.ended()

    async def _run(self) -> None:
        try:
            while True:
                async with self._turn:
                    if self._is_drained:
                        return
                    try:
                        item = await self._source.next()
                    except BaseException:
                        self._is_drained = True
                        raise
                    # Only now is it known that there is work for one more.
                    self.grow()
                await self.results.put(await self._work(item))
        except StopAsyncIteration:
            pass

    def _worker_ended(self, error: Exception | None) -> None:
        if error is not None:
            self._is_drained = True
            self._error = self._error or error
        self._alive -= 1
        if not self._alive:
            self.results.end(self._error)


class Fanout(AsyncIterator[Out], Generic[In, Out]):
    """Iterates over the results of `work`, in the order in which they complete.

    What `work` or the source raises ends the iteration, after the results that were under way.

    Args:
        items: The inputs; they are read as workers get free.
        work: What to do with each.
        concurrency: How many workers there are at the most.
    """

    def __init__(
        self,
        items: Iterable[In] | AsyncIterable[In],
        work: Callable[[In], Awaitable[Out]],
        concurrency: int,
    ) -> None:
        self._start: Callable[[], _Work[In, Out]] = lambda: _Work(
            source_of(items), work, concurrency
        )
        self._running: _Work[In, Out] | None = None
        self._is_closed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Out:
        if self._is_closed:
            raise StopAsyncIteration
        if self._running is None:
            self._running = self._start()
            self._running.grow()
        return await self._running.results.get()

    async def aclose(self) -> None:
        """Cancel what is under way and wait until it has ended."""
        self._is_closed = True
        if self._running is not None:
            self._running.cancel()
            # Also while the caller is being cancelled: no task is left behind.
            with anyio.CancelScope(shield=True):
                await self._running.ended()

    def __del__(self) -> None:
        running: Any = getattr(self, "_running", None)
        if running is not None:
            running.cancel()
