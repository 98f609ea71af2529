"""Bulk work that takes several requests: what was accepted, and how far it came."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Iterator
from contextlib import aclosing, contextmanager
from functools import partial
from typing import Any

from attrs import frozen

from .._concurrency.items import Items
from .._protocol.bodies import MAX_BODY_BYTES, check_size, encode_json
from ..errors import (
    AmbiguousOutcomeError,
    BulkInterruptedError,
    InvalidArgumentError,
    VoucherifyError,
)
from .batches import BodyBuilder


@frozen
class AcceptedRequest:
    """One request of several that Voucherify accepted."""

    id: str
    """Id of its async action."""
    first: int
    """How many items, of a file rows, were sent before it."""
    count: int
    """How many it holds."""


class RequestSeries:
    """Sends the requests of one piece of work, and tells how far it came where one fails."""

    def __init__(self) -> None:
        self.accepted: list[AcceptedRequest] = []
        self._items = 0
        self._trying = 0

    async def send(self, post: Callable[[], Awaitable[str]], count: int) -> None:
        """Send one request with so many items."""
        self._trying = count
        self.accepted.append(AcceptedRequest(await post(), self._items, count))
        self._items += count
        self._trying = 0

    @contextmanager
    def telling(self) -> Iterator[None]:
        """What goes wrong inside is told with what was accepted, if anything was.

        Raises:
            BulkInterruptedError: Something went wrong after the first request was accepted.
        """
        try:
            yield
        except Exception as error:
            if not self.accepted:
                raise
            is_refusal = isinstance(error, VoucherifyError)
            is_unknown = isinstance(error, AmbiguousOutcomeError) or not is_refusal
            raise BulkInterruptedError(
                f"Interrupted after {self._items:,} items, which were accepted: {error}",
                job_ids=[request.id for request in self.accepted],
                accepted=self._items,
                unknown=self._trying if is_unknown else 0,
            ) from error


async def send_items(
    items: Iterable[Any] | AsyncIterable[Any],
    name: str,
    body: BodyBuilder,
    post: Callable[[bytes], Awaitable[str]],
) -> list[AcceptedRequest]:
    """Send items in as few requests as they fit into.

    Raises:
        InvalidArgumentError: There are no items, or one cannot be sent; nothing was.
        BulkInterruptedError: Something went wrong after the first request was accepted.
    """
    series, index = RequestSeries(), 0
    with series.telling():
        async with aclosing(Items(items, name)) as each:
            async for item in each:
                encoded = encode_json(item, name=f"{name}[{index}]")
                if len(body) and not body.fits(encoded):
                    await _send(series, body, post)
                if not body.fits(encoded):
                    check_size(MAX_BODY_BYTES + len(encoded), f"{name}[{index}]")
                body.add(encoded)
                index += 1
        if not index:
            raise InvalidArgumentError(f"{name}: is empty; there is nothing to send")
        await _send(series, body, post)
    return series.accepted


async def _send(
    series: RequestSeries, body: BodyBuilder, post: Callable[[bytes], Awaitable[str]]
) -> None:
    count = len(body)
    await series.send(partial(post, body.take()), count)
