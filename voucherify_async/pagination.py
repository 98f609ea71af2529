"""Listings: one loop for every scheme, and a scheme that says what the next query is.

Walking reads one page ahead while the caller works on the one at hand, from the second page on: who
stops in the first page has cost one request.
"""

from __future__ import annotations

from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import aclosing
from functools import partial
from typing import Any, Generic, TypeVar

from attrs import field, frozen

from ._background import BackgroundTask
from ._schemes import Envelope, Query, Scheme
from .errors import InvalidArgumentError

T = TypeVar("T")


@frozen
class Page(Generic[T]):
    """One page of a listing. Iterating it and `len()` go over its items."""

    items: Sequence[T]
    """What the page holds."""
    total: int | None
    """How many items the whole listing has; None where the API does not say."""
    has_more: bool
    """Whether the listing goes on after this page."""
    query: Mapping[str, Any]
    """The query that this page answers."""
    next_query: Mapping[str, Any] | None
    """The query of the page after it, or None."""
    extra: Mapping[str, Any] = field(factory=dict)
    """Keys of the answer that the library does not know."""

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


class AsyncPaginator(Generic[T]):
    """A listing that has not been asked for yet: nothing is sent until it is used.

    ```python
    async for voucher in client.vouchers.list():    # walks every page, lazily
        ...
    page = await client.vouchers.list(limit=50)     # just the first one
    async for page in client.vouchers.list().pages():
        ...
    vouchers = await client.vouchers.list().collect(max_items=1_000)
    ```

    Each use starts again from the first page. A walk is never silently short: it raises
    `PaginationLimitError` where the API serves no further page, and `PaginationError` where the
    server repeats itself.
    """

    def __init__(
        self,
        fetch: Callable[[Query], Awaitable[Envelope]],
        structure: Callable[[Any, str], T],
        scheme: Callable[[], Scheme],
        query: Query,
        *,
        max_items: int | None = None,
        prefetch: int = 1,
    ) -> None:
        _check_count("max_items", max_items)
        _check_count("prefetch", prefetch)
        self._fetch = fetch
        self._structure = structure
        self._scheme = scheme
        self._query = query
        self._max_items = max_items
        self._prefetch = prefetch

    def __repr__(self) -> str:
        return f"AsyncPaginator({dict(self._query)!r})"

    def __await__(self) -> Generator[Any, Any, Page[T]]:
        return self._first_page().__await__()

    async def __aiter__(self) -> AsyncIterator[T]:
        """Every item of every page, at most `max_items` of them."""
        left = self._max_items
        if left == 0:
            return
        async with aclosing(self._walk()) as pages:
            async for page in pages:
                for item in page.items if left is None else page.items[:left]:
                    yield item
                if left is not None:
                    left -= len(page)
                    if left <= 0:
                        return

    def pages(self) -> AsyncIterator[Page[T]]:
        """Every page. `max_items` ends the walk after the page that reaches it."""
        return self._walk()

    async def collect(self, max_items: int | None = None) -> list[T]:
        """Walk the listing into a list.

        Args:
            max_items: How many items at the most; by default the listing's own bound.

        Returns:
            The items, in the listing's order.

        Raises:
            PaginationLimitError: The listing is longer than the API's pages reach.
            PaginationError: The server repeats itself.
        """
        bound = self._max_items if max_items is None else max_items
        bounded: AsyncPaginator[T] = AsyncPaginator(
            self._fetch,
            self._structure,
            self._scheme,
            self._query,
            max_items=bound,
            prefetch=self._prefetch,
        )
        return [item async for item in bounded]

    async def _first_page(self) -> Page[T]:
        return self._page(self._scheme(), self._query, await self._fetch(self._query))

    def _page(self, scheme: Scheme, query: Query, envelope: Envelope) -> Page[T]:
        raw = scheme.unseen(envelope.items)
        step = scheme.after(query, envelope)
        return Page(
            items=[self._structure(item, f"$.{envelope.key}[{i}]") for i, item in raw],
            total=envelope.total,
            has_more=step is not None,
            query=query,
            next_query=step if isinstance(step, Mapping) else None,
            extra=envelope.extra,
        )

    async def _walk(self) -> AsyncGenerator[Page[T], None]:
        scheme, query, count, number = self._scheme(), self._query, 0, 1
        ahead: deque[tuple[Query, BackgroundTask[Envelope]]] = deque()
        try:
            while True:
                envelope = await self._next_envelope(query, ahead)
                page = self._page(scheme, query, envelope)
                count += len(page)
                wanted = self._max_items is None or count < self._max_items
                if number > 1 and wanted:
                    self._read_ahead(scheme.upcoming(query, envelope, self._prefetch), ahead)
                yield page
                if not wanted:
                    return
                step = scheme.step
                if step is None:
                    return
                if isinstance(step, Exception):
                    raise step
                query, number = step, number + 1
        finally:
            # Without awaiting: the caller broke off, or is being cancelled.
            for _, task in ahead:
                task.cancel()

    async def _next_envelope(
        self, query: Query, ahead: deque[tuple[Query, BackgroundTask[Envelope]]]
    ) -> Envelope:
        if ahead and ahead[0][0] == query:
            envelope = await ahead[0][1].result()
            ahead.popleft()
            return envelope
        return await self._fetch(query)

    def _read_ahead(
        self, queries: Sequence[Query], ahead: deque[tuple[Query, BackgroundTask[Envelope]]]
    ) -> None:
        for query in queries[len(ahead) :]:
            ahead.append((query, BackgroundTask(partial(self._fetch, query))))


def _check_count(name: str, value: int | None) -> None:
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InvalidArgumentError(f"{name}: expected an integer of at least 0, got {value!r}")
