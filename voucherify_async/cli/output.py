"""Results on stdout: as a table, as JSON, a JSON object a line, or CSV."""

from __future__ import annotations

import csv
import io
import shutil
import sys
from collections.abc import AsyncIterable, Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeAlias, TypeVar
from unicodedata import combining, east_asian_width

import orjson
import typer
from attrs import frozen

from .. import escape_cell, to_dict
from ..models._base import Model
from .terminal import printable, printable_json, say

T = TypeVar("T", bound=Model)
Format: TypeAlias = Literal["table", "json", "jsonl", "csv"]
Raw: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--raw",
        help="CSV without the apostrophe that keeps spreadsheets from running cells as formulas.",
    ),
]

_WIDE_COLUMNS = 120
_LINES_ON_TERMINAL = 20


@frozen
class Column(Generic[T]):
    """A column of a table and of CSV."""

    name: str
    value: Callable[[T], Any]
    is_number: bool = False
    is_wide: bool = False
    """Whether it is shown only where the terminal is wide, and in what is piped."""


class Writer(Generic[T]):
    """Writes items of a kind in the format that was asked for.

    Args:
        format: The format.
        columns: The columns of a table and of CSV.
        record: The names and values that stand for a single item in place of a table, or None.
        raw: Whether CSV goes out without the escape of formulas.
    """

    def __init__(
        self,
        format: Format,  # noqa: A002 - the option's name
        columns: Sequence[Column[T]],
        record: Callable[[T], Sequence[tuple[str, Any]]] | None = None,
        *,
        raw: bool = False,
    ) -> None:
        self._cell: Callable[[str], str] = str if raw else escape_cell
        self._format = format
        self._columns = columns
        self._record = record
        self._rows: list[T] = []
        self._count = 0

    @property
    def is_streaming(self) -> bool:
        """Whether items appear on a terminal one by one, where a bar would be in their way."""
        return self._format != "table" and sys.stdout.isatty()

    def add(self, item: T) -> None:
        """Write an item; a table is written at the end."""
        if self._format == "table":
            self._rows.append(item)
        elif self._format == "csv":
            if not self._count:
                _write_row([column.name for column in self._columns])
            _write_row([self._cell(_exact(column.value(item))) for column in self._columns])
        elif self._format == "jsonl":
            sys.stdout.write(f"{_json(item)}\n")
        else:
            text = _json(item, indent=True).replace("\n", "\n  ")
            sys.stdout.write(f"{',' if self._count else '['}\n  {text}")
        self._count += 1

    def finish(self) -> None:
        """Write what is left to write."""
        if self._format == "json":
            sys.stdout.write("\n]\n" if self._count else "[]\n")
        elif self._format == "csv" and not self._count:
            _write_row([column.name for column in self._columns])
        elif self._format == "table" and self._rows:
            if self._record is not None and len(self._rows) == 1:
                write_record(self._record(self._rows[0]))
            else:
                self._write_table()

    async def add_all(self, items: AsyncIterable[T]) -> int:
        """Write items as they come, and finish; how many there were."""
        async for item in items:
            self.add(item)
        return self._count

    def _write_table(self) -> None:
        columns: Iterable[Column[T]] = self._columns
        if sys.stdout.isatty():
            from ._rich import draw_table, terminal_width

            if terminal_width() < _WIDE_COLUMNS:
                columns = [column for column in columns if not column.is_wide]
            rows = [[text(column.value(item)) for column in columns] for item in self._rows]
            draw_table([(column.name, column.is_number) for column in columns], rows)
            return
        rows = [[text(column.value(item)) for column in columns] for item in self._rows]
        write_plain([column.name for column in columns], rows)


def write_plain(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write columns, two spaces apart, each as wide as its widest cell."""
    lines = [header, *rows]
    widths = [max(map(_width, cells)) for cells in zip(*lines, strict=True)]
    for line in lines:
        padded = (cell + " " * (w - _width(cell)) for cell, w in zip(line, widths, strict=True))
        sys.stdout.write("  ".join(padded).rstrip() + "\n")


def write_record(fields: Sequence[tuple[str, Any]]) -> None:
    """Write one thing as a list of names and values; what is not set is left out."""
    shown = [(name, text(value)) for name, value in fields if value is not None]
    if not shown:
        say("the answer has nothing to show")
        return
    if sys.stdout.isatty():
        from ._rich import draw_record

        draw_record(shown)
        return
    width = max(len(name) for name, _ in shown)
    for name, value in shown:
        sys.stdout.write(f"{name:<{width}}  {value}\n")


def copy_to_stdout(path: Path) -> None:
    """Write a file of text; to a terminal free of control characters, otherwise as it is."""
    if sys.stdout.isatty():
        with path.open(encoding="utf-8", errors="replace", newline="") as lines:
            for line in lines:
                sys.stdout.write(f"{printable(line.rstrip())}\n")
        return
    sys.stdout.flush()
    with path.open("rb") as file:
        shutil.copyfileobj(file, sys.stdout.buffer)
    sys.stdout.buffer.flush()


def write_lines(lines: Sequence[str]) -> None:
    """Write lines; on a terminal only the first ones, and how many more there are."""
    shown = _LINES_ON_TERMINAL if sys.stdout.isatty() else len(lines)
    for line in lines[:shown]:
        sys.stdout.write(f"{printable(line)}\n")
    if shown < len(lines):
        sys.stdout.write(f"... and {len(lines) - shown:,} more; --output json has them all\n")


def text(value: Any) -> str:
    """A value as a cell of a table: in one line, and free of control characters."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
    return printable(_exact(value))


def _exact(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return orjson.dumps(value).decode()


def _json(item: Model, *, indent: bool = False) -> str:
    options = orjson.OPT_INDENT_2 if indent else 0
    return printable_json(orjson.dumps(to_dict(item), option=options).decode())


def _write_row(cells: Sequence[str]) -> None:
    if sys.stdout.isatty():
        cells = [printable(cell) for cell in cells]
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    sys.stdout.write(line.getvalue())


def _width(cell: str) -> int:
    return sum(
        0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in cell
    )
