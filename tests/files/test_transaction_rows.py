from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucherify_async import ResponseValidationError
from voucherify_async._files import csv_lines
from voucherify_async._files.csv_lines import CsvLines

from .conftest import Connect
from .scripted import Scripted, answer

HEADER = "ID,Type,Reason,Amount\n"


def read(content: bytes, sizes: list[int]) -> list[tuple[int, list[str]]]:
    """The rows of a file that comes in chunks of these sizes, and a last one."""
    lines, at = CsvLines(), 0
    rows: list[tuple[int, list[str]]] = []
    for size in sizes:
        rows += lines.feed(content[at : at + size])
        at += size
    rows += lines.feed(content[at:])
    return rows + list(lines.end())


def expected(content: bytes) -> list[list[str]] | None:
    """What the csv module says of the whole file; None where it is not CSV."""
    try:
        text = content.decode("utf-8-sig")
        pieces = [f"{line}\n" for line in text.split("\n")]
        pieces[-1] = pieces[-1][:-1]
        reader = csv.reader([piece for piece in pieces if piece], strict=True)
        return [row for row in reader if row]
    except (csv.Error, UnicodeDecodeError):
        return None


@given(
    st.text(alphabet='a",\n\r;é\ufeff', max_size=40).map(str.encode) | st.binary(max_size=20),
    st.lists(st.integers(0, 5), max_size=20),
)
def test_chunks_make_no_difference(content: bytes, sizes: list[int]) -> None:
    """Whatever the chunks: the rows are those of the csv module, or an error of ours."""
    rows = expected(content)
    if rows is None:
        with pytest.raises(ResponseValidationError):
            read(content, sizes)
    else:
        assert [row for _, row in read(content, sizes)] == rows


def test_each_row_has_its_line() -> None:
    """A row is told with the line at which it begins, blank ones and those inside cells counted."""
    content = b'a,b\r\n\r\n1,"x\ny\nz"\n2,""\n'
    for size in range(1, 12):
        assert read(content, [size] * 9) == [
            (1, ["a", "b"]),
            (3, ["1", "x\ny\nz"]),
            (6, ["2", ""]),
        ]


UNREADABLE: dict[str, tuple[str | bytes, str]] = {
    "a stray quote": (HEADER + 'v1,T,"a"b,1\nv2,T,r,2\n', r"line 2 at \$: expected a row of CSV"),
    "a cell that never ends": (HEADER + 'v1,T,r,1\nv2,T,"cut,2\n', "line 3 .*unexpected end"),
    "a row that is cut": (HEADER + "v1,T,r,1\nv2,T", r"line 3 at \$\[1\]: expected 4 cells, got 2"),
    "a character that is cut": (HEADER.encode() + b"v1,T,\xc3", "line 2 .*UTF-8"),
    "not UTF-8": (HEADER.encode() + b"v1,T,\xff\xff,1\n", "expected text in UTF-8"),
    "a cell without end": (HEADER + 'v1,T,"' + "x" * 140_000, "line 2 .*field limit"),
    "a huge number": (HEADER + "v1,T,r," + "9" * 5_000 + "\n", "expected a whole number"),
    "a huge exponent": (HEADER + "v1,T,r,1e1000000\n", "expected a whole number"),
    "underscores": (HEADER + "v1,T,r,1_0\n", "expected a whole number"),
    "more cells": (HEADER + "v1,T,r,1,2\n", "expected 4 cells, got 5"),
    "nothing": ("", "expected a header"),
    "another table": ("Code,Value\nA,1\n", "expected a header of transactions"),
    "a column twice": ("ID,Amount,id\nv1,1,v2\n", "each column once"),
}


@pytest.mark.anyio
@pytest.mark.parametrize(("content", "says"), UNREADABLE.values(), ids=list(UNREADABLE))
async def test_file_that_cannot_be_read_is_an_error_of_ours(
    connect: Connect, content: str | bytes, says: str
) -> None:
    """What the csv module or a column does not take raises with its line; no row is dropped."""
    body = content if isinstance(content, bytes) else content.encode()
    with Scripted([answer("200 OK", body=body)]).running() as server:
        async with connect(server.origin) as client:
            rows = client.exports.rows(server.export())
            with pytest.raises(ResponseValidationError, match=says):
                [row async for row in rows]
            with pytest.raises(StopAsyncIteration):
                await anext(rows)
    assert len(server.requests) == 1


@pytest.mark.anyio
async def test_quotes_inside_cells_are_kept(connect: Connect) -> None:
    """A quote in the middle of a plain cell is a character, and swallows no rows behind it."""
    text = io.StringIO(newline="")
    csv.writer(text).writerow(["v2", "T", 'with "quotes",\nlines\r\nand ünïcode', "2"])
    body = f'{HEADER}v1,T,5" screen,1\n{text.getvalue()}v3,T,,3'.encode()
    with Scripted([answer("200 OK", body=body)]).running() as server:
        async with connect(server.origin) as client:
            rows = [row async for row in client.exports.rows(server.export())]
    assert [(row.id, row.reason) for row in rows] == [
        ("v1", '5" screen'),
        ("v2", 'with "quotes",\nlines\r\nand ünïcode'),
        ("v3", None),
    ]


def test_row_that_never_ends_costs_no_square(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row in many chunks is read again as often as it doubles, and is refused when too long."""
    reads = 0
    real = CsvLines.__next__

    def counted(lines: CsvLines) -> str:
        nonlocal reads
        reads += 1
        return real(lines)

    monkeypatch.setattr(CsvLines, "__next__", counted)
    monkeypatch.setattr(csv_lines, "_MAX_ROW", 20_000)
    lines = CsvLines()
    for _ in range(1_000):
        assert list(lines.feed(b'"\n",')) == []
    assert reads < 5_000
    with pytest.raises(ResponseValidationError, match="the end of a row"):
        list(lines.feed(b'"\n",' * 10_000))
    with pytest.raises(ResponseValidationError, match="a line break"):
        CsvLines().feed(b"x" * 20_001)
