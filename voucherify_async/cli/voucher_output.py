"""Vouchers on stdout; as CSV in the form that an import takes."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path

from .._files.csv_columns import row_of
from .._files.csv_writer import write_csv
from ..errors import InvalidArgumentError
from ..models import Voucher
from .columns import VOUCHERS, voucher_record
from .exits import NEGATIVE, OK
from .output import Format, Writer
from .terminal import printable, say


class VoucherWriter:
    """Writes vouchers in the format that was asked for.

    Args:
        format: The format.
        single: Whether one voucher alone is shown in full, in place of a table.
    """

    def __init__(self, format: Format, *, single: bool = False) -> None:  # noqa: A002
        self._format = format
        self._writer = Writer(format, VOUCHERS, voucher_record if single else None)
        self._code = OK

    @property
    def is_streaming(self) -> bool:
        """Whether vouchers appear on a terminal one by one, where a bar would be in their way."""
        return self._writer.is_streaming and self._format != "csv"

    async def collect(self, vouchers: AsyncIterable[Voucher]) -> None:
        """Take the vouchers, and write those that need not wait for the others."""
        if self._format != "csv":
            await self._writer.add_all(vouchers)
            return
        # The columns are known when the last voucher was seen.
        self._folder = tempfile.TemporaryDirectory()
        await write_csv(self._expressible(vouchers), Path(self._folder.name, "vouchers.csv"))

    def finish(self) -> int:
        """Write the rest; the exit code."""
        if self._format != "csv":
            self._writer.finish()
            return self._code
        with self._folder as folder, Path(folder, "vouchers.csv").open(newline="") as file:
            for line in file:
                shown = f"{printable(line.rstrip())}\n" if sys.stdout.isatty() else line
                sys.stdout.write(shown)
        return self._code

    async def _expressible(self, vouchers: AsyncIterable[Voucher]) -> AsyncIterator[Voucher]:
        async for voucher in vouchers:
            try:
                row_of(voucher, f"{voucher.code}")
            except InvalidArgumentError:
                say(f"{voucher.code}: left out, since no row of an import file can express it")
                self._code = NEGATIVE
            else:
                yield voucher
