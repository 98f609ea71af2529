"""Vouchers on stdout; as CSV in the form that an import takes."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterable
from pathlib import Path

from .. import write_csv
from ..errors import InvalidArgumentError
from ..models import Voucher
from .exits import NEGATIVE, OK
from .output import Format, Writer, copy_to_stdout
from .table_columns import VOUCHERS, voucher_record
from .terminal import say


class VoucherWriter:
    """Writes vouchers in the format that was asked for.

    Args:
        format: The format.
        single: Whether one voucher alone is shown in full, in place of a table.
        raw: Whether CSV goes out without the escape of formulas.
    """

    def __init__(self, format: Format, *, single: bool = False, raw: bool = False) -> None:  # noqa: A002
        self._format = format
        self._raw = raw
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
        # The columns are known only when the last voucher was seen.
        self._folder = tempfile.TemporaryDirectory()
        await write_csv(
            vouchers,
            Path(self._folder.name, "vouchers.csv"),
            raw=self._raw,
            on_inexpressible=self._leave_out,
        )

    def finish(self) -> int:
        """Write the rest; the exit code."""
        if self._format != "csv":
            self._writer.finish()
            return self._code
        with self._folder as folder:
            copy_to_stdout(Path(folder, "vouchers.csv"))
        return self._code

    def _leave_out(self, voucher: Voucher, error: InvalidArgumentError) -> None:
        say(f"{voucher.code}: left out: {error}")
        self._code = NEGATIVE
