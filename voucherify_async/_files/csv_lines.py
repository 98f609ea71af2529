"""Rows of CSV out of bytes that come in chunks."""

from __future__ import annotations

import codecs
import csv
from collections import deque
from collections.abc import Iterator
from typing import Any, Final

from ..errors import ResponseValidationError

_MAX_ROW: Final = 2_000_000
"""Characters that a row may have."""


class _MoreIsNeededError(Exception):
    """A row goes on in what has not come yet."""


class CsvLines(Iterator[str]):
    """Rows out of a file that comes in chunks; where they end is for the csv module to say."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._rest = ""
        self._waiting: deque[str] = deque()
        self._taken: list[str] = []
        self._has_ended = False
        self._size = 0
        self._needed = 0
        self._count = 0
        self._reader = csv.reader(self, strict=True)

    def feed(self, content: bytes) -> Iterator[tuple[int, list[str]]]:
        """The rows that are whole now, and the line at which each begins.

        Raises:
            ResponseValidationError: The file is not CSV in UTF-8.
        """
        *lines, self._rest = (self._rest + self._decoded(content)).split("\n")
        for line in lines:
            self._wait(f"{line}\n")
        if len(self._rest) > _MAX_ROW:
            raise self._unreadable("a line break", self._rest)
        return iter(()) if self._size < self._needed else self._rows()

    def end(self) -> Iterator[tuple[int, list[str]]]:
        """The last rows.

        Raises:
            ResponseValidationError: The file ends in the middle of a row or a character.
        """
        self._rest += self._decoded(b"", final=True)
        if self._rest:
            self._wait(self._rest)
        self._has_ended = True
        return self._rows()

    def _wait(self, line: str) -> None:
        self._waiting.append(line)
        self._size += len(line)

    def __next__(self) -> str:
        if self._waiting:
            self._taken.append(self._waiting.popleft())
            return self._taken[-1]
        if self._has_ended:
            raise StopIteration
        raise _MoreIsNeededError

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        while True:
            self._taken.clear()
            try:
                row = next(self._reader, None)
            except _MoreIsNeededError:
                # The reader forgets a row that it could not finish: it is read again as a whole,
                # and only once twice as much has come, or many chunks would cost their square.
                self._waiting.extendleft(reversed(self._taken))
                self._needed = 2 * self._size
                if self._size > _MAX_ROW:
                    raise self._unreadable("the end of a row", self._taken[0]) from None
                return
            except csv.Error as error:
                raise self._unreadable(f"a row of CSV ({error})", "".join(self._taken)) from None
            if row is None:
                return
            line, self._count = self._count + 1, self._count + len(self._taken)
            self._size -= sum(map(len, self._taken))
            if row:
                yield line, row

    def _decoded(self, content: bytes, *, final: bool = False) -> str:
        try:
            return self._decoder.decode(content, final)
        except UnicodeDecodeError:
            raise self._unreadable("text in UTF-8", content[:80]) from None

    def _unreadable(self, expected: str, value: Any) -> ResponseValidationError:
        return unreadable(expected, value, self._count + 1)


def unreadable(expected: str, value: Any, line: int) -> ResponseValidationError:
    """The error of a file that is not what it should be."""
    return ResponseValidationError(
        json_path="$", expected=expected, value=value, model=f"line {line}", path="(download)"
    )
