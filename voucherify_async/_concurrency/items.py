"""Items from wherever they come: any iterable, read as an async one."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from typing import Final, Generic, Self, TypeVar

from anyio.lowlevel import checkpoint

from ..errors import InvalidArgumentError
from .fanout import closing

T = TypeVar("T")

_BURST: Final = 100


class Items(AsyncIterator[T], Generic[T]):
    """Any iterable as an async one, which lets other tasks run while it goes over a plain one.

    Raises:
        InvalidArgumentError: It is not an iterable of items, but one text or one mapping.
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
