"""All that is drawn with rich: bars, and tables on a terminal. NO_COLOR is honoured."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from .progress import Bar
from .terminal import printable


class _RichBar(Bar):
    def __init__(self, drawn: Progress, what: str, total: float | None) -> None:
        self._drawn = drawn
        self._task = drawn.add_task(what, total=total, note="")

    def update(self, done: float, total: float | None = None, note: str = "") -> None:
        self._drawn.update(self._task, completed=done, total=total, note=printable(note))


@contextmanager
def rich_bar(what: str, total: float | None) -> Iterator[Bar]:
    """Draw a bar on stderr; it disappears at the end."""
    drawn = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=_console(sys.stderr),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    with drawn:
        yield _RichBar(drawn, what, total)


def draw_table(header: Sequence[tuple[str, bool]], rows: Sequence[Sequence[str]]) -> None:
    """Draw a table as wide as the terminal at the most; a long cell goes on in the next line.

    Args:
        header: Each column's name, and whether it stands at the right.
        rows: The cells, free of control characters.
    """
    table = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style="bold",
    )
    for name, is_number in header:
        table.add_column(
            name, justify="right" if is_number else "left", overflow="fold", no_wrap=is_number
        )
    for row in rows:
        table.add_row(*map(Text, row))
    _console(sys.stdout).print(table)


def draw_record(fields: Sequence[tuple[str, str]]) -> None:
    """Draw one thing as a list of names and values."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in fields:
        table.add_row(Text(name), Text(value))
    _console(sys.stdout).print(table)


def terminal_width() -> int:
    """How many columns stdout's terminal has."""
    return _console(sys.stdout).width


def _console(file: TextIO) -> Console:
    return Console(file=file, highlight=False, markup=False, emoji=False)
