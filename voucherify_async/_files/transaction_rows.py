"""Transactions out of the CSV file of an export, while it comes in."""

from __future__ import annotations

import codecs
import csv
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Any, Final, Self

import orjson

from .._concurrency.fanout import Feed
from .._conversion.converter import structure_at
from ..errors import ProtocolError, ResponseValidationError
from ..models.transactions import VoucherTransaction
from .download import Piece

_NUMBERS: Final = ("balance", "amount")


class TransactionRows(AsyncIterator[VoucherTransaction]):
    """Iterates over the transactions of an export; leaving early ends the download."""

    def __init__(self, pieces: AsyncGenerator[Piece, None]) -> None:
        self._feed = Feed(pieces)
        self._lines = _Rows()
        self._columns: list[str] | None = None
        self._ready: deque[list[str]] = deque()
        self._number = 0
        self._position = 0
        self._has_ended = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> VoucherTransaction:
        while not self._ready:
            if self._has_ended:
                raise StopAsyncIteration
            await self._read()
        self._number += 1
        return _transaction(self._columns or [], self._ready.popleft(), self._number)

    async def aclose(self) -> None:
        """End the download here."""
        self._has_ended = True
        self._ready.clear()
        self._feed.cancel()
        await self._feed.ended()

    def __del__(self) -> None:
        self._feed.cancel()

    async def _read(self) -> None:
        try:
            piece = await self._feed.next()
        except StopAsyncIteration:
            self._has_ended = True
            rows = self._lines.end()
        except BaseException:
            self._has_ended = True
            raise
        else:
            rows = self._lines.feed(self._fresh(piece))
        for row in rows:
            if self._columns is None:
                self._columns = [_field(name) for name in row]
            elif row:
                self._ready.append(row)

    def _fresh(self, piece: Piece) -> bytes:
        if piece.offset == self._position:
            self._position += len(piece.content)
            return piece.content
        # Rows of the file as it was have been handed out.
        self._has_ended = True
        raise ProtocolError(
            "The download broke off, and the file cannot be read on from there; begin again",
            method="GET",
            path="(download)",
        )


class _Rows:
    """Cuts text that comes in pieces into rows; a quoted cell may hold line breaks."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._rest = ""
        self._open: list[str] = []
        self._is_quoted = False

    def feed(self, content: bytes) -> Iterator[list[str]]:
        """The rows that are whole now."""
        lines = (self._rest + self._decoder.decode(content)).split("\n")
        self._rest = lines.pop()
        return self._cells(lines)

    def end(self) -> Iterator[list[str]]:
        """The last row, if no line break stood behind it."""
        rest, self._rest = self._rest, ""
        return self._cells([rest] if rest or self._open else [])

    def _cells(self, lines: list[str]) -> Iterator[list[str]]:
        whole: list[str] = []
        for line in lines:
            self._open.append(line)
            self._is_quoted ^= line.count('"') % 2 == 1
            if not self._is_quoted:
                whole.append("\n".join(self._open))
                self._open = []
        return csv.reader(whole)


def _field(header: str) -> str:
    """The field that a header names: `Voucher ID` is `voucher_id`."""
    return "_".join(header.strip().lower().split())


def _transaction(columns: list[str], cells: list[str], number: int) -> VoucherTransaction:
    where = f"$[{number - 1}]"
    if len(cells) != len(columns):
        raise ResponseValidationError(
            json_path=where, expected=f"{len(columns)} cells", value=len(cells), model="row"
        )
    row = {column: cell for column, cell in zip(columns, cells, strict=True) if cell}
    data: dict[str, Any] = {name: row[name] for name in row if name not in _NUMBERS}
    if "details" in row:
        data["details"] = _json(row["details"], f"{where}.details")
    elif any(name in row for name in _NUMBERS):
        # Without the column of details, the others tell what it did to the balance.
        amount = "points" if row.get("type", "").startswith("POINTS") else "amount"
        names = {"balance": "balance", "amount": amount}
        numbers = {names[name]: _whole(row, name, where) for name in _NUMBERS if name in row}
        data["details"] = {"balance": numbers}
    return structure_at(VoucherTransaction, data, where)


def _json(text: str, where: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise ResponseValidationError(json_path=where, expected="a JSON text", value=text) from None


def _whole(row: dict[str, str], name: str, where: str) -> int:
    try:
        return int(row[name])
    except ValueError:
        raise ResponseValidationError(
            json_path=f"{where}.{name}", expected="a whole number", value=row[name]
        ) from None
