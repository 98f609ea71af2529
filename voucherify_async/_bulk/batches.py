"""Streams of items, cut into as few request bodies as the API's 10 MB allow."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from typing import Final, Generic, Self, TypeVar

from anyio.lowlevel import checkpoint

from .._concurrency.fanout import closing
from ..errors import InvalidArgumentError

T = TypeVar("T")

BODY_BYTES: Final = 10_000_000
"""What a body is cut at: 10 MB in the stricter reading."""
_BURST: Final = 100


class Items(AsyncIterator[T], Generic[T]):
    """Any iterable as an async one, which lets other tasks run while it goes over a plain one.

    Raises:
        InvalidArgumentError: It is no iterable of items, but one text or one mapping.
    """

    def __init__(self, items: Iterable[T] | AsyncIterable[T], name: str = "items") -> None:
        if isinstance(items, (str, bytes, Mapping)) or not isinstance(
            items, (Iterable, AsyncIterable)
        ):
            raise InvalidArgumentError(f"{name}: expected a list, got {type(items).__name__}")
        self._plain: Iterator[T] | None = None
        if isinstance(items, AsyncIterable):
            self._async = aiter(items)
        else:
            self._plain = iter(items)
        self._count = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        if self._plain is None:
            return await anext(self._async)
        self._count += 1
        if self._count % _BURST == 0:
            await checkpoint()
        for item in self._plain:
            return item
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Close what is iterated, if it is an async generator."""
        if self._plain is None:
            async with closing(self._async):
                pass


class Body:
    """A JSON array, with something around it, that grows item by item up to the bound.

    Args:
        before: What stands before the items.
        behind: What stands behind them.
    """

    def __init__(self, before: bytes = b"[", behind: bytes = b"]") -> None:
        self._before = before
        self._behind = behind
        self._items: list[bytes] = []
        self._size = len(before) + len(behind)

    def __len__(self) -> int:
        return len(self._items)

    def fits(self, item: bytes) -> bool:
        """Whether there is room for one more item."""
        return self._size + len(item) <= BODY_BYTES

    def add(self, item: bytes) -> None:
        """Add an item."""
        self._items.append(item)
        self._size += len(item) + 1

    def take(self) -> bytes:
        """The body so far; another one is begun."""
        content = self._before + b",".join(self._items) + self._behind
        self._items.clear()
        self._size = len(self._before) + len(self._behind)
        return content
