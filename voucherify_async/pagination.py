"""Listings: one loop for every scheme, and a scheme that says what the next query is.

Walking reads one page ahead while the caller works on the one at hand, from the second page on: who
stops in the first page has cost one request.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterator,
    Mapping,
    Sequence,
)
from functools import partial
from types import GenericAlias
from typing import Any, Generic, Self, TypeVar, get_args

from attrs import evolve, field, frozen

from ._checks import check_count
from ._concurrency.background import BackgroundTask
from ._protocol.listings import Envelope, Query, Scheme, Step, Turn

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

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        # pydantic's own protocol: a page is a response of FastAPI, as the items are.
        from ._conversion.pydantic_schema import outgoing_schema

        (item,) = get_args(source) or (Any,)
        shape = {"items": GenericAlias(list, item), "total": int | None, "has_more": bool}
        return outgoing_schema(
            source, shape, handler, lambda page: {key: getattr(page, key) for key in shape}
        )

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@frozen
class _Listing(Generic[T]):
    """What a listing consists of: all that a walk has to know."""

    fetch: Callable[[Query], Awaitable[Envelope]]
    structure: Callable[[Any, str], T]
    scheme: Callable[[], Scheme]
    query: Query
    max_items: int | None
    prefetch: int

    def page(self, turn: Turn, query: Query, envelope: Envelope) -> Page[T]:
        return Page(
            items=[self.structure(item, f"$.{envelope.key}[{i}]") for i, item in turn.items],
            total=envelope.total,
            has_more=turn.step is not None,
            query=query,
            next_query=turn.step if isinstance(turn.step, Mapping) else None,
            extra=envelope.extra,
        )


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
    `PaginationLimitError` where the API serves no further page, and `PaginationError` where a page
    or a cursor comes again, or a page is empty though the server says that there is more.
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
        if max_items is not None:
            check_count("max_items", max_items, least=0)
        check_count("prefetch", prefetch, least=0)
        self._listing = _Listing(fetch, structure, scheme, query, max_items, prefetch)

    def __repr__(self) -> str:
        return f"AsyncPaginator({dict(self._listing.query)!r})"

    def __await__(self) -> Generator[Any, Any, Page[T]]:
        return self._first_page().__await__()

    def __aiter__(self) -> AsyncIterator[T]:
        """Every item of every page, at most `max_items` of them."""
        return _Items(self._listing)

    def pages(self) -> AsyncIterator[Page[T]]:
        """Every page. `max_items` ends the walk after the page that reaches it."""
        return _Walk(self._listing)

    async def collect(self, max_items: int | None = None) -> list[T]:
        """Walk the listing into a list.

        Args:
            max_items: How many items at the most; by default the listing's own bound.

        Returns:
            The items, in the listing's order.

        Raises:
            PaginationLimitError: The listing is longer than the API's pages reach.
            PaginationError: The server repeats itself, or its pages contradict its `total`.
            BackgroundCancelledError: Somebody cancelled the task that reads ahead.
        """
        listing = self._listing
        if max_items is not None:
            check_count("max_items", max_items, least=0)
            listing = evolve(listing, max_items=max_items)
        return [item async for item in _Items(listing)]

    async def _first_page(self) -> Page[T]:
        listing = self._listing
        envelope = await listing.fetch(listing.query)
        turn = listing.scheme().turn(listing.query, envelope)
        return listing.page(turn, listing.query, envelope)


class _Walk(Generic[T]):
    """One walk over the pages.

    A plain iterator, no async generator: whoever leaves a loop early drops it, which ends the
    reading ahead at once, where a generator would have to be closed by the event loop first (and
    trio warns of each that it has to close).
    """

    def __init__(self, listing: _Listing[T]) -> None:
        self._ahead: deque[tuple[Query, BackgroundTask[Envelope]]] = deque()
        self._listing = listing
        self._scheme = listing.scheme()
        self._step: Step = listing.query
        self._count = 0
        self._is_first = True
        self._is_running = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Page[T]:
        if self._is_running:
            raise RuntimeError("A listing is walked by one task at a time")
        # Whatever goes wrong from here on ends the walk.
        step, self._step = self._step, None
        if step is None:
            raise StopAsyncIteration
        if isinstance(step, Exception):
            raise step
        self._is_running = True
        try:
            return await self._read(step)
        except BaseException:
            self._drop_ahead()
            raise
        finally:
            self._is_running = False

    def __del__(self) -> None:
        self._drop_ahead()

    async def aclose(self) -> None:
        """End the walk here."""
        self._step = None
        self._drop_ahead()

    async def _read(self, query: Query) -> Page[T]:
        listing, scheme = self._listing, self._scheme
        if self._is_first:
            query = await self._begin(query)
        while True:
            envelope = await self._envelope(query)
            turn = scheme.turn(query, envelope)
            if turn.items or not isinstance(turn.step, Mapping):
                break
            # Nothing in it was new, but there is more to come.
            query = turn.step
        page = listing.page(turn, query, envelope)
        if not page.items and isinstance(turn.step, Exception):
            raise turn.step
        self._count += len(page)
        if listing.max_items is None or self._count < listing.max_items:
            if not self._is_first and isinstance(turn.step, Mapping):
                self._read_ahead(scheme.ahead(turn.step, listing.prefetch))
            self._step = turn.step
        self._is_first = False
        return page

    async def _begin(self, query: Query) -> Query:
        survey = self._scheme.survey(query)
        if survey is None:
            return query
        return self._scheme.begin(query, await self._listing.fetch(survey))

    async def _envelope(self, query: Query) -> Envelope:
        if self._ahead and self._ahead[0][0] != query:
            # The walk went another way than it seemed.
            self._drop_ahead()
        if self._ahead:
            envelope = await self._ahead[0][1].result()
            self._ahead.popleft()
            return envelope
        return await self._listing.fetch(query)

    def _read_ahead(self, queries: Sequence[Query]) -> None:
        for query in queries[len(self._ahead) :]:
            self._ahead.append((query, BackgroundTask(partial(self._listing.fetch, query))))

    def _drop_ahead(self) -> None:
        while self._ahead:
            self._ahead.popleft()[1].cancel()


class _Items(Generic[T]):
    """One walk over the items of the pages."""

    def __init__(self, listing: _Listing[T]) -> None:
        self._pages = _Walk(listing)
        self._items: Iterator[T] = iter(())
        self._left = math.inf if listing.max_items is None else listing.max_items

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        if self._left <= 0:
            raise StopAsyncIteration
        while True:
            for item in self._items:
                self._left -= 1
                return item
            self._items = iter(await self._pages.__anext__())

    async def aclose(self) -> None:
        """End the walk here."""
        self._left = 0
        await self._pages.aclose()
