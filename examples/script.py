"""A plain script: look the codes of a file up, and write a CSV of what became of each.

```sh
pip install "voucherify-async[cli,testing]"
voucherify-async serve --vouchers 500        # in another terminal; export the lines that it prints
python -m examples.script codes.txt report.csv
```

The file may be of any length: codes are read as they are needed, and the client keeps as many
requests open as it may, within the project's quota.
"""

from __future__ import annotations

import asyncio
import csv
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from voucherify_async import AsyncVoucherify, FoundVoucher, NotFoundError, escape_cell


class Writer(Protocol):
    """What `csv.writer` returns."""

    def writerow(self, row: Iterable[Any], /) -> object:
        """Write one row."""


async def look_up(codes: Iterable[str], report: Writer) -> int:
    """Write a row for each code as it is looked up; returns how many could not be."""
    failed = 0
    report.writerow(["code", "status", "type", "balance"])
    async with AsyncVoucherify() as client:
        async for found in client.vouchers.get_many(codes):
            row: list[object]
            match found:
                case FoundVoucher(voucher=voucher):
                    status = "inactive" if voucher.active is False else "active"
                    balance = voucher.gift.balance if voucher.gift else None
                    row = [status, voucher.type, balance]
                case _ if isinstance(found.error, NotFoundError):
                    row = ["missing", None, None]
                case _:
                    failed += 1
                    row = [f"failed: {found.error}", None, None]
            # A spreadsheet would run a code such as =1+1 as a formula.
            report.writerow([escape_cell(found.code), *row])
    return failed


def main(codes: Path, report: Path) -> int:
    """The exit code: 0 if every code was looked up."""
    with codes.open(encoding="utf-8") as lines, report.open("w", newline="") as file:
        stripped = (line.strip() for line in lines)
        failed = asyncio.run(look_up((code for code in stripped if code), csv.writer(file)))
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), Path(sys.argv[2])))
