"""A file of which a part has come: what to ask for next, and what belongs to it.

Pure decisions. A part is believed only if it starts where the last one ended, belongs to a file of
the same tag and size, and is not packed; otherwise the file begins anew. It counts as whole only if
that is certain.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from attrs import frozen

from ..errors import ProtocolError

_PLACE: Final = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")
_SIZE: Final = re.compile(r"bytes \*/([0-9]{1,18})")
_LENGTH: Final = re.compile(r"[0-9]{1,18}")
_STRONG: Final = re.compile(r'"[!#-~]*"')


@frozen
class Chunk:
    """Some bytes of a file, and where in it they belong. Offset 0 begins the file anew."""

    offset: int
    content: bytes


class UnprovenEndError(ProtocolError):
    """A file came to an end of which nothing says that it is the right one, nor ever will."""


class PartialFile:
    """How far a download has come, and of which file."""

    def __init__(self) -> None:
        self.position = 0
        self.is_whole = False
        self._furthest = 0
        self._restart()

    def _restart(self) -> None:
        self.position = 0
        self._tag: str | None = None
        self._modified: str | None = None
        self._total: int | None = None
        # Where the answer that is being read ends, if it says so.
        self._stop: int | None = None

    @property
    def _goes_on(self) -> bool:
        return self.position > 0 and self._tag is not None

    def request_headers(self) -> dict[str, str]:
        """What asks for the rest of the file, if it is still the same one."""
        # Places in a packed file are of no use.
        plain = {"Accept-Encoding": "identity"}
        if not self._goes_on or self._tag is None:
            return plain
        return {**plain, "Range": f"bytes={self.position}-", "If-Range": self._tag}

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Note what an answer holds, before its body is read.

        Raises:
            ProtocolError: It is neither the file nor the part that was asked for.
        """
        if status == 206:
            self._go_on(headers)
        elif status == 200:
            self._restart()
            if _is_plain(headers):
                self._tag = _strong(headers.get("etag"))
                self._modified = headers.get("last-modified")
                self._stop = self._total = _length(headers)
        else:
            raise _error(f"was answered with status {status} in place of the file")

    def _go_on(self, headers: Mapping[str, str]) -> None:
        place = _PLACE.fullmatch(headers.get("content-range", ""))
        first, last, total = map(int, place.groups()) if place else (-1, -1, -1)
        belongs = (
            self._goes_on
            and _is_plain(headers)
            and self.position == first <= last < total
            and self._total in {None, total}
            and headers.get("etag") == self._tag
            and headers.get("last-modified", self._modified) == self._modified
        )
        if not belongs:
            self._restart()
            raise _error("was answered with a part that does not go on with the file")
        self._stop, self._total = last + 1, total

    def take(self, content: bytes) -> Chunk:
        """The next bytes of the answer, as a chunk of the file.

        Raises:
            ProtocolError: They are more than the answer said.
        """
        end = self.position + len(content)
        if self._stop is not None and end > self._stop:
            total = self._stop
            self._restart()
            raise _error(f"holds more than the {total:,} bytes that were announced")
        chunk = Chunk(self.position, content)
        self.position = end
        return chunk

    def has_got_further(self) -> bool:
        """Whether more of the file is there than ever before.

        A server that fails again and again at the same place is not asked without end.
        """
        is_further = self.position > self._furthest
        self._furthest = max(self._furthest, self.position)
        return is_further

    def end(self, *, is_delimited: bool) -> None:
        """Note that an answer came to its end.

        Args:
            is_delimited: Whether its framing said where it ends, chunks included.

        Raises:
            ProtocolError: It ended early, or nothing says that it did not.
        """
        if self._stop is not None:
            if self.position < self._stop:
                raise _error(f"ended after {self.position:,} of {self._total:,} bytes")
            self.is_whole = self._stop == self._total
        elif is_delimited:
            self.is_whole = True
        elif self._goes_on:
            # Asking for the rest proves it: a refusal tells the size.
            raise _error(f"ended after {self.position:,} bytes, perhaps too early")
        else:
            raise UnprovenEndError(
                f"The download ended after {self.position:,} bytes; the server said neither how "
                "many there are nor where they end, so a broken connection looks the same",
                method="GET",
                path="(download)",
            )

    def refuse_range(self, headers: Mapping[str, str]) -> None:
        """Note that the file has nothing at the place that was asked for (status 416).

        It is whole if it ends just there; otherwise it has changed, and begins anew.
        """
        size = _SIZE.fullmatch(headers.get("content-range", ""))
        self.is_whole = (
            self._goes_on
            and size is not None
            and int(size[1]) == self.position
            and self._total in {None, self.position}
            and headers.get("etag", self._tag) == self._tag
        )
        if not self.is_whole:
            self._restart()


def _is_plain(headers: Mapping[str, str]) -> bool:
    return headers.get("content-encoding", "identity").strip().lower() in {"", "identity"}


def _strong(tag: str | None) -> str | None:
    # A weak tag says alike, which is not the same to the byte.
    return tag if tag and _STRONG.fullmatch(tag) else None


def _length(headers: Mapping[str, str]) -> int | None:
    length = headers.get("content-length", "")
    # With chunks a length does not count.
    is_stated = _LENGTH.fullmatch(length) and "transfer-encoding" not in headers
    return int(length) if is_stated else None


def _error(what: str) -> ProtocolError:
    return ProtocolError(f"The download {what}", method="GET", path="(download)")
