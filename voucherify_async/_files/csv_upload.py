"""A CSV file, checked before anything is sent, and cut at the borders of its rows.

Nothing here holds more of the file than one row; the parts are read while they are uploaded.
"""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from inspect import iscoroutinefunction
from typing import IO, Any, Final, Self

from attrs import field, frozen

from .._bulk.batches import BODY_BYTES
from ..errors import InvalidArgumentError

_FRAMING_BYTES: Final = 1024
"""What the multipart framing adds to a file at the most."""
PART_BYTES: Final = BODY_BYTES - _FRAMING_BYTES
_COPY_BYTES: Final = 1 << 20


@frozen
class Part:
    """One upload: the header, and some of the rows."""

    header: bytes
    start: int
    """Where its first row begins in the file."""
    stop: int
    """Where its last row ends."""
    first_row: int
    """How many rows stand before it."""
    rows: int


class PartFile(io.RawIOBase):
    """A part as a file of its own, over the file that it is a part of."""

    def __init__(self, file: IO[bytes], part: Part) -> None:
        super().__init__()
        self._file = file
        self._part = part
        self._size = len(part.header) + part.stop - part.start
        self._at = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes: it is read from the start for every attempt to send it."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move to a place of the part."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = base + offset
        return self._at

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes of the part."""
        header, left = self._part.header, self._size - self._at
        size = left if size < 0 else min(size, left)
        if size <= 0:
            return b""
        if self._at < len(header):
            content = header[self._at : self._at + size]
        else:
            self._file.seek(self._part.start + self._at - len(header))
            content = self._file.read(size)
        self._at += len(content)
        return content


@frozen
class Checked:
    """A file that was checked, and how it is cut."""

    name: str
    file: IO[bytes] = field(repr=False)
    parts: Sequence[Part]


@contextmanager
def checked(file: Any) -> Iterator[Checked]:
    """Check a file, and keep it open as long as the block runs.

    Raises:
        InvalidArgumentError: It is no CSV file that can be imported; the message says the line.
        OSError: It cannot be read.
    """
    if isinstance(file, (bytes, bytearray, memoryview)):
        yield _check("vouchers.csv", io.BytesIO(file))
    elif isinstance(file, (str, os.PathLike)):
        with open(file, "rb") as opened:  # noqa: PTH123 - also for path-like objects of others
            yield _check(os.path.basename(os.fspath(file)), opened)  # noqa: PTH119
    elif callable(read := getattr(file, "read", None)) and not iscoroutinefunction(read):
        if not isinstance(file.read(0), bytes):
            raise InvalidArgumentError('file: was opened as text; open it with mode "rb"')
        with _seekable(file) as opened:
            yield _check("vouchers.csv", opened)
    else:
        raise InvalidArgumentError(
            f"file: expected a path, bytes or a binary file, got {type(file).__name__}"
        )


@contextmanager
def _seekable(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """The file itself, or a copy on the disk of one that can be read but once."""
    seekable = getattr(file, "seekable", None)
    if seekable is not None and seekable() and callable(getattr(file, "readline", None)):
        yield file
        return
    with tempfile.TemporaryFile() as copy:
        while chunk := file.read(_COPY_BYTES):
            copy.write(chunk)
        copy.seek(0)
        yield copy


class _Lines(Iterator[str]):
    """The lines of a file as text, and how many bytes of it they took."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._encoding = "utf-8-sig"
        self.start = file.tell()
        self.position = self.start
        self.number = 0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        # A row can have as many bytes as a part; a longer line is refused without reading it all.
        line = self._file.readline(PART_BYTES + 1)
        if not line:
            raise StopIteration
        self.number += 1
        self.position += len(line)
        try:
            text = line.decode(self._encoding)
        except UnicodeDecodeError:
            raise _refusal(self.number, "is no UTF-8 text") from None
        self._encoding = "utf-8"
        return text


def _check(name: str, file: IO[bytes]) -> Checked:
    lines = _Lines(file)
    rows = _rows(lines)
    _, _, columns = next(rows, (0, 0, []))
    if not columns:
        raise InvalidArgumentError("file: is empty; there is nothing to import")
    _check_header(columns)
    file.seek(lines.start)
    header = file.read(lines.position - lines.start)
    file.seek(lines.position)
    parts: list[Part] = []
    start = stop = lines.position
    first, count = 0, 0
    for line, begin, cells in rows:
        if len(cells) != len(columns):
            raise _refusal(line, f"has {len(cells)} cells under {len(columns)} headers")
        if len(header) + lines.position - start > PART_BYTES and count:
            parts.append(Part(header, start, stop, first, count))
            start, first, count = begin, first + count, 0
        if len(header) + lines.position - start > PART_BYTES:
            raise _refusal(line, "is longer than the 10 MB that Voucherify takes in one request")
        stop, count = lines.position, count + 1
    if not count:
        raise InvalidArgumentError("file: has a header and no rows; there is nothing to import")
    parts.append(Part(header, start, stop, first, count))
    return Checked(name, file, parts)


def _rows(lines: _Lines) -> Iterator[tuple[int, int, list[str]]]:
    """Each row that is not blank: its first line's number, where it begins, and its cells."""
    reader = csv.reader(lines, strict=True)
    while True:
        line, begin = lines.number + 1, lines.position
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise _refusal(line, f"is no row of a CSV file: {error}") from None
        if cells is None:
            return
        if cells:
            yield line, begin, cells


def _check_header(columns: Sequence[str]) -> None:
    names = [column.strip() for column in columns]
    lower = [name.lower() for name in names]
    if "code" not in lower:
        hint = "; cells are separated by commas" if len(names) == 1 and ";" in names[0] else ""
        raise _refusal(1, f"names no column Code, but {', '.join(names)[:200]}{hint}")
    if "" in lower:
        raise _refusal(1, f"has no name for column {lower.index('') + 1}")
    doubled = next((n for i, n in enumerate(names) if lower.index(lower[i]) != i), None)
    if doubled is not None:
        raise _refusal(1, f"names the column {doubled} twice")


def _refusal(line: int, problem: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"file: line {line} {problem}")
