"""Import files: vouchers written as the CSV that Voucherify imports."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing
from os import PathLike
from pathlib import Path
from typing import IO, Any, Final

import orjson
from anyio import to_thread

from .._concurrency.items import Items
from ..errors import InvalidArgumentError
from ..models.voucher_imports import CampaignImport
from ..models.vouchers import Voucher
from .atomic import file_path, replacing_async
from .csv_columns import COLUMNS
from .rows_from_vouchers import row_of
from .spreadsheets import escape_cell

_CHUNK: Final = 500


async def write_csv(
    vouchers: Iterable[Voucher | CampaignImport | Mapping[str, Any]]
    | AsyncIterable[Voucher | CampaignImport | Mapping[str, Any]],
    path: str | PathLike[str],
    *,
    raw: bool = False,
    on_inexpressible: Callable[[Any, InvalidArgumentError], None] | None = None,
) -> Path:
    """Write vouchers to a file that `imports.csv` takes; every metadata key becomes a column.

    ```python
    await write_csv(client.vouchers.list_all(category="summer"), "summer.csv")
    ```

    The file holds what a CSV import can say: code, type, value, kind of discount, category, dates,
    redemption limit and counts, whether it is active, additional info and metadata. Money is in
    minor currency units (1050 is 10.50). Effects, units and other limits of a discount are left
    out. Metadata become texts, as in every CSV import.

    Cells that a spreadsheet would run as a formula get an apostrophe in front, see `escape_cell`.
    The imports of this library take it off again; other programs do not.

    Args:
        vouchers: Any iterable or async iterable of vouchers, items to import, or mappings. They are
            not held in memory.
        path: The file's path; it appears there whole or not at all. A file that is replaced keeps
            its mode; a new one is readable by its owner alone. A symbolic link is refused.
        raw: Write every cell as it is, for programs that do not know the apostrophe. Do not open
            such a file in a spreadsheet if others can set codes or metadata.
        on_inexpressible: Called with each voucher that no row can express, and the reason; it is
            left out then. By default the first one raises.

    Returns:
        The path.

    Raises:
        InvalidArgumentError: A voucher has no code, a value that is not a whole number, a discount
            that a row cannot express, or a metadata key with the name of a standard column; or the
            path cannot be the name of a file.
        OSError: The file cannot be written.
    """
    target = file_path(path, "path")
    # The metadata keys, and with them the columns, are known when the last voucher was seen.
    with tempfile.TemporaryFile() as rows:
        keys = await _collect(vouchers, rows, on_inexpressible)
        async with replacing_async(target) as file:
            await to_thread.run_sync(_write, rows, keys, file, str if raw else escape_cell)
    return target


async def _collect(
    vouchers: Any,
    rows: IO[bytes],
    on_inexpressible: Callable[[Any, InvalidArgumentError], None] | None,
) -> list[str]:
    """Keep each row as a line of JSON, as wide as it is by then; returns the metadata keys."""
    keys: dict[str, None] = {}
    lines: list[bytes] = []
    count = 0
    async with aclosing(Items(vouchers, "vouchers")) as each:
        async for voucher in each:
            try:
                cells, metadata = row_of(voucher, f"vouchers[{count}]")
            except InvalidArgumentError as error:
                if on_inexpressible is None:
                    raise
                on_inexpressible(voucher, error)
                continue
            finally:
                count += 1
            keys.update(dict.fromkeys(metadata))
            standard = [cells.get(name, "") for name in COLUMNS]
            lines.append(orjson.dumps(standard + [metadata.get(key, "") for key in keys]))
            if len(lines) == _CHUNK:
                await to_thread.run_sync(_append, rows, lines)
    await to_thread.run_sync(_append, rows, lines)
    return list(keys)


def _append(rows: IO[bytes], lines: list[bytes]) -> None:
    rows.writelines(line + b"\n" for line in lines)
    lines.clear()


def _write(
    rows: IO[bytes], keys: list[str], file: IO[bytes], written: Callable[[str], str]
) -> None:
    """Write the header, and every row as wide as it."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    csv.writer(text).writerows(map(written, line) for line in _table([*COLUMNS, *keys], rows))
    text.detach()


def _table(header: list[str], rows: IO[bytes]) -> Iterator[list[str]]:
    yield header
    rows.seek(0)
    for line in rows:
        cells: list[str] = orjson.loads(line)
        yield cells + [""] * (len(header) - len(cells))


__all__ = ["write_csv"]
