"""Bodies of answers: unpacked piece by piece, and never read beyond a limit."""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterator, Mapping
from typing import Any, Final

from .._concurrency.leaving import leaving

_BODY: Final = "the body of the answer (see max_answer_bytes)"
_PIECE: Final = 1 << 16
_WINDOWS: Final = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": 15}


class UnpackingError(Exception):
    """The body cannot be unpacked."""


class TooLargeError(Exception):
    """The answer, or its head, is larger than it may be."""

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"{what} is larger than {limit:,} bytes, and the rest was not read")


class OnePiece:
    """A body that has come already, in pieces as any other."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self.content:
            yield self.content


async def read_whole(pieces: AsyncIterable[bytes], headers: Mapping[str, str], limit: int) -> bytes:
    """A body, unpacked.

    Raises:
        UnpackingError: It is packed in a way that was not asked for, or breaks off.
        TooLargeError: It is longer than `limit` bytes, packed or unpacked.
    """
    stated = headers.get("content-length", "")
    if stated.isdecimal():
        _check(int(stated[:20]), limit)
    unpacker = _unpacker(headers)
    if unpacker is None and isinstance(pieces, OnePiece):
        _check(len(pieces.content), limit)
        return pieces.content
    contents: list[bytes] = []
    packed = size = 0
    iterator = aiter(pieces)
    try:
        async for piece in iterator:
            packed += len(piece)
            for content in (piece,) if unpacker is None else unpacker.feed(piece):
                size += len(content)
                contents.append(content)
                _check(size, limit)
            _check(packed, limit)
    except BaseException:
        await _end(iterator)
        raise
    if unpacker is not None:
        unpacker.finish()
    return b"".join(contents)


async def unpacked(
    pieces: AsyncIterable[bytes], headers: Mapping[str, str]
) -> AsyncGenerator[bytes, None]:
    """A body of any length, unpacked, in pieces of bounded size.

    Raises:
        UnpackingError: It is packed in a way that was not asked for, or breaks off.
    """
    unpacker = _unpacker(headers)
    iterator = aiter(pieces)
    try:
        async for piece in iterator:
            for content in (piece,) if unpacker is None else unpacker.feed(piece):
                yield content
    finally:
        await _end(iterator)
    if unpacker is not None:
        unpacker.finish()


def _check(size: int, limit: int) -> None:
    if size > limit:
        raise TooLargeError(_BODY, limit)


async def _end(iterator: AsyncIterator[bytes]) -> None:
    if isinstance(iterator, AsyncGenerator):
        async with leaving(iterator):
            pass


def _unpacker(headers: Mapping[str, str]) -> _Unpacker | None:
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding in {"", "identity"}:
        return None
    if encoding not in _WINDOWS:
        raise UnpackingError("the answer is packed in a way that was not asked for")
    return _Unpacker(_WINDOWS[encoding])


class _Unpacker:
    """Unpacks gzip, in any number of parts, and deflate, with or without its header."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._zlib: Any = zlib.decompressobj(window)
        self._head: bytes | None = b""

    def feed(self, packed: bytes) -> Iterator[bytes]:
        """What some bytes unpack to, in pieces."""
        while packed:
            if self._zlib.eof:
                self._begin_next_part()
            content = self._decompress(packed)
            packed = self._zlib.unused_data if self._zlib.eof else self._zlib.unconsumed_tail
            if content:
                yield content

    def finish(self) -> None:
        """Refuse a body that broke off."""
        if self._head != b"" and not self._zlib.eof:
            raise UnpackingError("the packed answer breaks off")

    def _begin_next_part(self) -> None:
        if self._window <= zlib.MAX_WBITS:
            raise UnpackingError("the packed answer goes on after its end")
        self._zlib = zlib.decompressobj(self._window)

    def _decompress(self, packed: bytes) -> bytes:
        head = self._head
        try:
            content: bytes = self._zlib.decompress(packed, _PIECE)
        except zlib.error:
            if head is None or self._window != zlib.MAX_WBITS:
                raise UnpackingError("the packed answer cannot be unpacked") from None
            # "deflate" without zlib's header, as some servers send it; that shows at the second
            # byte.
            self._window = -zlib.MAX_WBITS
            self._zlib = zlib.decompressobj(self._window)
            return self._decompress(head + packed)
        self._head = None if head is None or len(head + packed) > 1 else head + packed
        return content
