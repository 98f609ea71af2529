"""Cells that a spreadsheet would run as formulas, and the escape that keeps it from doing so.

The escape is an apostrophe in front. It can be undone without doubt, as a cell that looks escaped
already gets one more. Our own readers of import files undo it. Numbers stay as they are.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Final

from .csv_lines import CsvLines
from .partial_file import Chunk

# The wide forms of the signs are formulas to some spreadsheets, too.
_STARTS: Final = "=+\\-@\t\r\n＝＋－＠"  # noqa: RUF001
_RISKY: Final = re.compile(f"'*[{_STARTS}]")
_ESCAPED: Final = re.compile(f"'+[{_STARTS}]")
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?", re.ASCII)


def escape_cell(text: str) -> str:
    """The text as a cell of a CSV file that no spreadsheet takes for a formula.

    A cell that begins with `=`, `+`, `-`, `@`, a tab or a line break gets an apostrophe in front,
    unless it is a number. `write_csv` does so by default, and every import of a CSV file by this
    library takes the apostrophe off again.

    Args:
        text: What the cell is to hold.

    Returns:
        The cell.
    """
    is_risky = _RISKY.match(text) is not None and _NUMBER.fullmatch(text) is None
    return f"'{text}" if is_risky else text


def unescape_cell(cell: str) -> str:
    """The text that `escape_cell` made a cell of."""
    return cell[1:] if is_escaped_cell(cell) else cell


def is_escaped_cell(cell: str) -> bool:
    """Whether `escape_cell` would have made it."""
    return _ESCAPED.match(cell) is not None


async def escaped(file: AsyncGenerator[Chunk, None]) -> AsyncGenerator[Chunk, None]:
    """A CSV file that comes in chunks, each of its cells escaped.

    Raises:
        ResponseValidationError: It is not CSV in UTF-8.
    """
    lines, read, written = CsvLines(), 0, 0
    async with aclosing(file):
        async for chunk in file:
            if chunk.offset != read:
                # The file begins anew.
                lines, read, written = CsvLines(), 0, 0
            read += len(chunk.content)
            content = _escaped_lines(lines.feed(chunk.content))
            yield Chunk(written, content)
            written += len(content)
    yield Chunk(written, _escaped_lines(lines.end()))


def _escaped_lines(rows: Iterable[tuple[int, list[str]]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(map(escape_cell, cells) for _, cells in rows)
    return text.getvalue().encode()


__all__ = ["escape_cell"]
