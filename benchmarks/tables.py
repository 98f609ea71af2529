"""Tables of text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .runs import Results, last_line

Cell = str | float | None


@dataclass(frozen=True)
class Table:
    """A titled table; the first cell of a row is its name."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""

    def text(self) -> str:
        """Title and table."""
        return f"### {self.title}\n\n{self.body()}"

    def body(self) -> str:
        """The table in Markdown, aligned for a terminal, and its note."""
        shown = [list(self.columns), *([number(cell) for cell in row] for row in self.rows)]
        widths = [max(len(row[i]) for row in shown) for i in range(len(self.columns))]
        rule = ["-" * (widths[0]), *(("-" * (width - 1)) + ":" for width in widths[1:])]
        lines = [_line(row, widths) for row in (shown[0], rule, *shown[1:])]
        return "\n".join([*lines, *(["", self.note.strip()] if self.note.strip() else [])])


def _line(cells: Iterable[str], widths: Sequence[int]) -> str:
    first, *rest = zip(cells, widths, strict=True)
    aligned = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]
    return f"| {' | '.join(aligned)} |"


def number(value: Cell) -> str:
    """A figure with three digits that count."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def missing_note(results: Results, labels: dict[str, str]) -> str:
    """A sentence on every contestant that was not measured."""
    reasons: dict[str, str] = {}
    for key, result in results.items():
        reason = result.get("missing") or last_line(result.get("failed") or "")
        if reason:
            name = key.split(" @ ")[0]
            reasons[labels.get(name, name)] = reason
    return " ".join(f"Not measured: {label} ({reason})." for label, reason in reasons.items())
