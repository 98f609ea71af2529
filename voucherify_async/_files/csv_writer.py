"""Import files: vouchers written as the CSV that Voucherify imports."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import AsyncIterable, Iterable, Mapping
from contextlib import aclosing
from os import PathLike
from pathlib import Path
from typing import IO, Any, Final

from anyio import to_thread

from .._bulk.batches import Items
from ..models.voucher_imports import CampaignImport
from ..models.vouchers import Voucher
from .atomic import file_path, replacing_async
from .csv_columns import COLUMNS, row_of

_CHUNK: Final = 500


async def write_csv(
    vouchers: Iterable[Voucher | CampaignImport | Mapping[str, Any]]
    | AsyncIterable[Voucher | CampaignImport | Mapping[str, Any]],
    path: str | PathLike[str],
) -> Path:
    """Write vouchers to a file that `imports.csv` takes; every metadata key becomes a column.

    ```python
    await write_csv(client.vouchers.list_all(category="summer"), "summer.csv")
    ```

    The file holds what a CSV import can say: code, type, value, kind of discount, category, dates,
    redemption limit and counts, whether it is active, additional info and metadata. Effects, units
    and other limits of a discount are left out. Metadata become texts, as in every CSV import.

    Args:
        vouchers: Any iterable or async iterable of vouchers, items to import, or mappings. They are
            not held in memory.
        path: The file's path; it appears there whole or not at all.

    Returns:
        The path.

    Raises:
        InvalidArgumentError: A voucher has no code, a discount that a row cannot express, or a
            metadata key with the name of a standard column.
        OSError: The file cannot be written.
    """
    target = file_path(path, "path")
    # The metadata keys, and with them the columns, are known when the last voucher was seen.
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as rows:
        keys = await _collect(vouchers, rows)
        async with replacing_async(target) as file:
            await to_thread.run_sync(_finish, rows, keys, file)
    return target


async def _collect(vouchers: Any, rows: IO[str]) -> list[str]:
    """Write the rows as far as their columns are known by then; returns the metadata keys."""
    keys: dict[str, None] = {}
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    count = 0
    async with aclosing(Items(vouchers, "vouchers")) as each:
        async for voucher in each:
            cells, metadata = row_of(voucher, f"vouchers[{count}]")
            keys.update(dict.fromkeys(metadata))
            standard = [cells.get(name, "") for name in COLUMNS]
            writer.writerow(standard + [metadata.get(key, "") for key in keys])
            count += 1
            if count % _CHUNK == 0:
                await to_thread.run_sync(rows.write, buffer.getvalue())
                buffer.seek(0)
                buffer.truncate()
    await to_thread.run_sync(rows.write, buffer.getvalue())
    return list(keys)


def _finish(rows: IO[str], keys: list[str], file: IO[bytes]) -> None:
    """Write the header, and every row as wide as it."""
    header = [*COLUMNS, *keys]
    rows.seek(0)
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(row + [""] * (len(header) - len(row)) for row in csv.reader(rows))
    text.detach()


__all__ = ["write_csv"]
