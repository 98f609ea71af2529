"""Transactions out of the CSV of an export, while it comes in."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from typing import Any, Final, Self

import orjson
from attrs import fields

from .._concurrency.fanout import Feed
from .._conversion.converter import structure_at
from ..errors import ProtocolError, ResponseValidationError
from ..models.transactions import VoucherTransaction
from .csv_lines import CsvLines, unreadable
from .partial_file import Chunk

_NUMBERS: Final = ("balance", "amount")
_WHOLE: Final = re.compile(r"-?[0-9]{1,18}")
_KNOWN: Final = {attribute.name for attribute in fields(VoucherTransaction)} | set(_NUMBERS)


class TransactionRows(AsyncIterator[VoucherTransaction]):
    """Iterates over the transactions of an export; leaving early ends the download."""

    def __init__(self, chunks: AsyncGenerator[Chunk, None]) -> None:
        self._feed = Feed(chunks)
        self._lines = CsvLines()
        self._columns: list[str] | None = None
        self._ready: deque[tuple[int, list[str]]] = deque()
        self._count = 0
        self._position = 0
        self._has_ended = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> VoucherTransaction:
        while not self._ready:
            if self._has_ended:
                raise StopAsyncIteration
            await self._read()
        line, cells = self._ready.popleft()
        self._count += 1
        return _transaction(self._columns or [], cells, f"$[{self._count - 1}]", line)

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
            for line, row in await self._rows():
                if self._columns is None:
                    self._columns = _columns(row, line)
                else:
                    self._ready.append((line, row))
        except BaseException:
            # What comes behind cannot be told apart any more.
            self._has_ended = True
            self._ready.clear()
            raise

    async def _rows(self) -> Iterable[tuple[int, list[str]]]:
        try:
            chunk = await self._feed.next()
        except StopAsyncIteration:
            self._has_ended = True
            last = list(self._lines.end())
            if self._columns is None and not last:
                raise unreadable("a header", "", 1) from None
            return last
        return self._lines.feed(self._fresh(chunk))

    def _fresh(self, chunk: Chunk) -> bytes:
        if chunk.offset == self._position:
            self._position += len(chunk.content)
            return chunk.content
        # Rows of the file as it was have been handed out.
        raise ProtocolError(
            "The download broke off, and the file cannot be read on from there; begin again",
            method="GET",
            path="(download)",
        )


def _columns(header: list[str], line: int) -> list[str]:
    """The fields that the header names: `Voucher ID` is `voucher_id`."""
    columns = ["_".join(name.lower().split()) for name in header]
    if len(set(columns)) < len(columns) or not _KNOWN.intersection(columns):
        raise unreadable("a header of transactions, each column once", ",".join(header), line)
    return columns


def _transaction(columns: list[str], cells: list[str], where: str, line: int) -> VoucherTransaction:
    if len(cells) != len(columns):
        raise ResponseValidationError(
            json_path=where,
            expected=f"{len(columns)} cells",
            value=len(cells),
            model=f"line {line}",
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
    if not _WHOLE.fullmatch(row[name]):
        raise ResponseValidationError(
            json_path=f"{where}.{name}", expected="a whole number", value=row[name]
        )
    return int(row[name])
