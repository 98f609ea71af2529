"""The answers that pyreqwest brings: their headers, and their bodies in pieces."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from .pyreqwest_clients import Connections
from .pyreqwest_errors import raise_own_cancellation

if TYPE_CHECKING:
    from pyreqwest.http import HeaderMap
    from pyreqwest.response import ResponseBodyReader

_MOST_AT_ONCE: Final = 1 << 16


def header_map_of(headers: HeaderMap) -> dict[str, str]:
    """The headers of an answer, those that can be read."""
    try:
        found = headers.dict_multi_value()
        # Of those that come more than once, the last.
        return {name: text if isinstance(text, str) else text[-1] for name, text in found.items()}
    except ValueError:
        # One of them is not ASCII; none that anybody asks for is.
        readable: dict[str, str] = {}
        for name in headers.keys():  # noqa: SIM118 - the pairs are what cannot be read
            with suppress(ValueError):
                readable[name] = headers[name]
        return readable


def is_here(headers: Mapping[str, str], limit: int) -> bool:
    """Whether the whole body came with the head, as it is."""
    stated = headers.get("content-length", "")
    return (
        stated.isdecimal()
        and int(stated[:20]) <= min(limit, _MOST_AT_ONCE)
        and "content-encoding" not in headers
    )


class Pieces:
    """The body of an answer, as it comes."""

    def __init__(self, reader: ResponseBodyReader, connections: Connections) -> None:
        self._reader = reader
        self._connections = connections
        self.are_all = False

    def __aiter__(self) -> Pieces:
        return self

    async def __anext__(self) -> bytes:
        try:
            piece = await self._reader.read_chunk()
        except BaseException as error:
            await raise_own_cancellation(error)
            raise
        if piece is None:
            self.are_all = True
            raise StopAsyncIteration
        return bytes(piece)


class _NoPieces:
    """The body of an answer that was read with its head."""

    def __aiter__(self) -> _NoPieces:
        return self

    async def __anext__(self) -> bytes:
        raise StopAsyncIteration


NO_PIECES: Final = _NoPieces()


async def do_nothing() -> None:
    """Leave a connection that has gone back already."""
