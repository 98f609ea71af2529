"""A CSV file to upload, checked before anything is sent, and cut between its rows.

No more of the file than one row is in memory; the parts are read while they are uploaded.
"""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from inspect import iscoroutinefunction
from typing import IO, Any, Final, Self

from attrs import field, frozen

from .._protocol.bodies import MAX_BODY_BYTES
from ..errors import InvalidArgumentError
from .atomic import file_path
from .spreadsheets import is_escaped_cell, unescape_cell

_FRAMING_BYTES: Final = 1024
"""What the multipart framing adds to a file at the most."""
PART_BYTES: Final = MAX_BODY_BYTES - _FRAMING_BYTES
_COPY_BYTES: Final = 1 << 20
_NAME: Final = "vouchers.csv"


@frozen
class CsvPart:
    """What one request uploads: the header, and some of the rows."""

    header: bytes
    start: int
    """Where its first row begins in the file."""
    stop: int
    """Where its last row ends."""
    first_row: int
    """How many rows stand before it."""
    rows: int


class CsvPartFile(io.RawIOBase):
    """A part as a file of its own, over the file that it is a part of."""

    def __init__(self, file: IO[bytes], part: CsvPart) -> None:
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
class CheckedCsv:
    """A file that was checked, and how it is cut."""

    name: str
    file: IO[bytes] = field(repr=False)
    parts: Sequence[CsvPart]
    is_escaped: bool
    """Whether a cell is escaped for spreadsheets."""


@contextmanager
def checked_csv(file: Any) -> Iterator[CheckedCsv]:
    """Check a file, and keep it open as long as the block runs.

    Where cells are escaped for spreadsheets, a copy without the escapes is what will be uploaded.

    Raises:
        InvalidArgumentError: It is not a CSV file that can be imported; the message says the line.
        OSError: It cannot be read.
    """
    with _opened(file) as (name, opened):
        start = opened.tell()
        checked = _check(name, opened)
        if not checked.is_escaped:
            yield checked
            return
        with tempfile.TemporaryFile() as copy:
            opened.seek(start)
            _write_unescaped(_Lines(opened), copy)
            yield _check(name, copy)


def check_csv(file: Any) -> int:
    """Check a CSV file as `imports.csv` does, without sending anything.

    Args:
        file: A path, the bytes, or a file opened for reading bytes.

    Returns:
        How many vouchers it has.

    Raises:
        InvalidArgumentError: It is not a CSV file that can be imported; the message says the line.
        OSError: It cannot be read.
    """
    with checked_csv(file) as checked:
        return sum(part.rows for part in checked.parts)


def csv_codes(file: IO[bytes] | io.RawIOBase) -> list[str]:
    """The codes in a file that was checked, in the order of its rows."""
    file.seek(0)
    content = b"".join(iter(partial(file.read, _COPY_BYTES), b""))
    rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    column = [name.strip().lower() for name in next(rows)].index("code")
    return [cells[column].strip() for cells in rows if cells]


@contextmanager
def _opened(file: Any) -> Iterator[tuple[str, IO[bytes]]]:
    """What was handed in as a file that can be read more than once, and its name."""
    if isinstance(file, (bytes, bytearray, memoryview)):
        yield _NAME, io.BytesIO(file)
    elif isinstance(file, (str, os.PathLike)):
        path = file_path(file, "file")
        with path.open("rb") as opened:
            # The name is a label for people; not every file system's names are Unicode.
            yield path.name.encode(errors="replace").decode(), opened
    elif callable(read := getattr(file, "read", None)) and not iscoroutinefunction(read):
        if not isinstance(file.read(0), bytes):
            raise InvalidArgumentError('file: was opened as text; open it with mode "rb"')
        with _seekable(file) as opened:
            yield _NAME, opened
    else:
        raise InvalidArgumentError(
            f"file: expected a path, bytes or a binary file, got {type(file).__name__}"
        )


def _write_unescaped(lines: _Lines, copy: IO[bytes]) -> None:
    text = io.TextIOWrapper(copy, encoding="utf-8", newline="", write_through=True)
    csv.writer(text).writerows(map(unescape_cell, cells) for _, _, cells in _rows(lines))
    text.detach()
    copy.seek(0)


@contextmanager
def _seekable(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """The file itself, or a copy on the disk of one that can be read only once."""
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
            raise _refusal(self.number, "is not UTF-8 text") from None
        self._encoding = "utf-8"
        return text


def _check(name: str, file: IO[bytes]) -> CheckedCsv:
    lines = _Lines(file)
    rows = _rows(lines)
    _, _, columns = next(rows, (0, 0, []))
    if not columns:
        raise InvalidArgumentError("file: is empty; there is nothing to import")
    _check_header(columns)
    file.seek(lines.start)
    header = file.read(lines.position - lines.start)
    file.seek(lines.position)
    parts: list[CsvPart] = []
    start = stop = lines.position
    first, count = 0, 0
    is_escaped = any(map(is_escaped_cell, columns))
    for line, begin, cells in rows:
        if len(cells) != len(columns):
            raise _refusal(line, f"has {len(cells)} cells under {len(columns)} headers")
        if len(header) + lines.position - start > PART_BYTES and count:
            parts.append(CsvPart(header, start, stop, first, count))
            start, first, count = begin, first + count, 0
        if len(header) + lines.position - start > PART_BYTES:
            raise _refusal(line, "is longer than the 10 MB that Voucherify takes in one request")
        stop, count = lines.position, count + 1
        is_escaped = is_escaped or any(map(is_escaped_cell, cells))
    if not count:
        raise InvalidArgumentError("file: has a header and no rows; there is nothing to import")
    parts.append(CsvPart(header, start, stop, first, count))
    return CheckedCsv(name, file, parts, is_escaped)


def _rows(lines: _Lines) -> Iterator[tuple[int, int, list[str]]]:
    """Each row that is not blank: its first line's number, where it begins, and its cells."""
    reader = csv.reader(lines, strict=True)
    while True:
        line, begin = lines.number + 1, lines.position
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise _refusal(line, f"is not a row of a CSV file: {error}") from None
        if cells is None:
            return
        if cells:
            yield line, begin, cells


def _check_header(columns: Sequence[str]) -> None:
    names = [column.strip() for column in columns]
    lower = [name.lower() for name in names]
    if "code" not in lower:
        hint = "; cells are separated by commas" if len(names) == 1 and ";" in names[0] else ""
        raise _refusal(1, f"has no column Code, only {', '.join(names)[:200]}{hint}")
    if "" in lower:
        raise _refusal(1, f"has no name for column {lower.index('') + 1}")
    doubled = next((n for i, n in enumerate(names) if lower.index(lower[i]) != i), None)
    if doubled is not None:
        raise _refusal(1, f"names the column {doubled} twice")


def _refusal(line: int, problem: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"file: line {line} {problem}")
