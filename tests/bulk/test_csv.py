from __future__ import annotations

import csv
import io
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from voucherify_async import (
    AmountDiscount,
    BulkInterruptedError,
    CombinedJob,
    DiscountVoucherImport,
    InvalidArgumentError,
    Voucher,
    from_dict,
    write_csv,
)
from voucherify_async.testing import FakeVoucherify

from .conftest import Skipping, names_in

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=1)]

HEADER = "Code,Voucher Type,Value,Discount Type,Note\n"


def row(number: int, note: str = "") -> str:
    """One line of an import file."""
    return f"R-{number},DISCOUNT_VOUCHER,1050,AMOUNT,{note}\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        (HEADER, "has a header and no rows"),
        ("Kode,Value\nA,1\n", "line 1 has no column Code, only Kode, Value"),
        ("Code;Value\nA;1\n", "line 1 .*separated by commas"),
        ("Code,Value,\nA,1,2\n", "line 1 has no name for column 3"),
        ("Code,Value,code\nA,1,2\n", "line 1 names the column code twice"),
        (HEADER + row(1) + "B,GIFT_VOUCHER\n", "line 3 has 2 cells under 5 headers"),
        (HEADER + row(1, '"two\nlines"') + "\nB\n", "line 5 has 1 cells under 5 headers"),
        (HEADER + row(1) + 'B,"GIFT\n', "line 3 is not a row of a CSV file"),
    ],
)
async def test_file_is_checked_first(fake: FakeVoucherify, text: str, says: str) -> None:
    """A file that cannot be imported is refused with its line before anything is sent."""
    async with fake:
        with pytest.raises(InvalidArgumentError, match=says):
            await fake.client().imports.csv(text.encode())
    assert not fake.requests


async def test_file_has_to_be_text_in_utf8(fake: FakeVoucherify) -> None:
    """Bytes that are not UTF-8 are refused with their line; a file opened as text is refused."""
    async with fake:
        imports = fake.client().imports
        with pytest.raises(InvalidArgumentError, match="line 2 is not UTF-8"):
            await imports.csv(HEADER.encode() + b"A,DISCOUNT_VOUCHER,1,AMOUNT,\xff\n")
        wrong: Any = io.StringIO(HEADER + row(1))
        with pytest.raises(InvalidArgumentError, match="opened as text"):
            await imports.csv(wrong)


class Pipe(io.RawIOBase):
    """A file that can be read only once."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self._file = io.BytesIO(content)

    def readable(self) -> bool:
        """Yes."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes."""
        return self._file.read(size)


@pytest.mark.parametrize("kind", ["path", "text path", "bytes", "file", "pipe"])
async def test_every_kind_of_file_is_taken(fake: FakeVoucherify, tmp_path: Path, kind: str) -> None:
    """A path, bytes and binary files are imported alike, a byte order mark included."""
    content = b"\xef\xbb\xbf" + (HEADER + row(1, '"a ""quoted"" note"') + row(2)).encode()
    path = tmp_path / "my vouchers.csv"
    path.write_bytes(content)
    async with fake:
        imports = fake.client().imports
        if kind == "file":
            with path.open("rb") as file:
                await imports.csv(file)
        else:
            files: dict[str, Any] = {
                "path": path,
                "text path": str(path),
                "bytes": content,
                "pipe": Pipe(content),
            }
            await imports.csv(files[kind])
    assert fake.vouchers["R-1"]["metadata"] == {"Note": 'a "quoted" note'}
    assert fake.vouchers["R-2"]["discount"]["amount_off"] == 1050
    assert content in fake.requests[-1].body


async def test_names_that_are_not_unicode(fake: FakeVoucherify, tmp_path: Path) -> None:
    """A file is imported whatever bytes its name has; a name that no file has is refused."""
    path = tmp_path / os.fsdecode(b"caf\xe9.csv")
    path.write_text(HEADER + row(1))
    async with fake:
        imports = fake.client().imports
        await imports.csv(path)
        for name in ("a\ud800.csv", "a\0.csv"):
            with pytest.raises(InvalidArgumentError, match="cannot be the name of a file"):
                await imports.csv(f"{tmp_path}/{name}")
    assert list(fake.vouchers) == ["R-1"]


@pytest.mark.parametrize("from_path", [True, False])
async def test_large_file_is_cut_between_rows(
    fake: FakeVoucherify, clock: Skipping, tmp_path: Path, from_path: bool
) -> None:
    """A file over 10 MB goes up in parts, each with the header; one handle sums them up."""
    note = '"' + "n" * 60_000 + "\n" + "n" * 60_000 + '"'
    refused = "R-3,GIFT_VOUCHER,1,,\n"
    content = (HEADER + "".join(row(n, note) for n in range(200)) + refused).encode()
    path = tmp_path / "large.csv"
    path.write_bytes(content)
    async with fake:
        job = await fake.client(clock=clock).imports.csv(path if from_path else content)
        assert isinstance(job, CombinedJob)
        reports: list[Any] = []
        action = await job.wait(on_progress=reports.append)
    posts = [request for request in fake.requests if request.method == "POST"]
    assert len(posts) == len(job.ids) == 3
    assert all(len(request.body) <= 10_000_000 for request in posts)
    assert len(fake.vouchers) == 200
    assert action.result is not None
    assert (action.status, action.result.done_count, action.result.failed_count) == ("DONE", 200, 1)
    assert [failure.row for failure in action.result.failed or ()] == [201]
    assert {report.status for report in reports} >= {"ENQUEUED", "IN_PROGRESS", "DONE"}


async def test_part_that_fails_tells_what_was_accepted(
    fake: FakeVoucherify, clock: Skipping
) -> None:
    """Where the second part fails, the error has the job and the rows of the first."""
    content = (HEADER + "".join(row(n, "n" * 100_000) for n in range(150))).encode()
    fake.faults.status(400, method="POST", after=1)
    async with fake:
        with pytest.raises(BulkInterruptedError) as caught:
            await fake.client(clock=clock).imports.csv(content)
    assert (len(caught.value.job_ids), caught.value.accepted, caught.value.unknown) == (1, 99, 0)
    assert len(fake.vouchers) == 99


VOUCHERS: list[dict[str, Any]] = [
    {
        "code": "AMOUNT",
        "discount": {"type": "AMOUNT", "amount_off": 1999, "effect": "APPLY_TO_ORDER"},
        "category": "summer",
        "start_date": "2026-01-02T03:04:05.678Z",
        "expiration_date": "2027-01-01T00:00:00.000Z",
        "redemption": {"quantity": 3, "redeemed_quantity": 1},
        "additional_info": 'with "quotes", commas\nand lines',
        "metadata": {"shop": "north", "Märkte": "ü"},
    },
    {"code": "PERCENT", "discount": {"type": "PERCENT", "percent_off": 12}, "active": False},
    {"code": "FIXED", "discount": {"type": "FIXED", "fixed_amount": 5}, "metadata": {"a": "1"}},
    {"code": "GIFT", "gift": {"amount": 10_000, "balance": 2_550}},
]
SAME = ("code", "type", "category", "start_date", "expiration_date", "active", "additional_info")


async def test_written_file_makes_equal_vouchers(
    fake: FakeVoucherify, clock: Skipping, tmp_path: Path
) -> None:
    """What `write_csv` wrote, imported elsewhere, gives equal vouchers as far as a row goes."""
    for voucher in VOUCHERS:
        fake.add_voucher(voucher)
    other = FakeVoucherify()
    path = tmp_path / "out.csv"
    async with fake, other:
        assert await write_csv(fake.client().vouchers.list_all(), path) == path
        job = await other.client(clock=clock).imports.csv(path)
        action = await job.wait(raise_on_failed=True)
    assert action.result is not None
    assert action.result.done_count == len(VOUCHERS)
    for code, voucher in fake.vouchers.items():
        copied = other.vouchers[code]
        assert {k: voucher[k] for k in SAME} == {k: copied[k] for k in SAME}
        assert voucher["metadata"] == copied["metadata"]
        assert voucher["redemption"]["quantity"] == copied["redemption"]["quantity"]
    assert other.vouchers["AMOUNT"]["discount"]["amount_off"] == 1999
    assert other.vouchers["PERCENT"]["discount"]["percent_off"] == 12
    assert other.vouchers["FIXED"]["discount"]["fixed_amount"] == 5
    gift = other.vouchers["GIFT"]["gift"]
    assert (gift["amount"], gift["balance"]) == (10_000, 2_550)


async def test_written_columns(tmp_path: Path) -> None:
    """Metadata keys are columns behind the standard ones, empty where a voucher has none."""

    async def mixed() -> AsyncIterator[Any]:
        yield from_dict(Voucher, {"code": "A", "type": "DISCOUNT_VOUCHER", "metadata": {"n": 1}})
        discount = AmountDiscount(amount_off=5)
        yield DiscountVoucherImport(code="B", discount=discount, metadata={"flag": True, "n": [2]})
        yield {"code": "C", "loyalty_card": {"points": 70}, "metadata": None}

    path = await write_csv(mixed(), tmp_path / "out.csv")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[-2:] == ["n", "flag"]
    assert [(r["Code"], r["Value"], r["n"], r["flag"]) for r in rows] == [
        ("A", "", "1", ""),
        ("B", "5", "[2]", "true"),
        ("C", "70", "", ""),
    ]
    assert names_in(tmp_path) == [path.name]


@pytest.mark.parametrize(
    ("voucher", "says"),
    [
        ({"type": "GIFT_VOUCHER"}, "has no code"),
        ({"code": "A", "metadata": {"category": "x"}}, "'category' cannot be a column"),
        ({"code": "A", "discount": {"type": "NEW"}}, "cannot express"),
        ({"code": "A", "discount": {"type": "PERCENT", "percent_off": 12.5}}, "whole numbers"),
        ({"code": "A", "metadata": {"m": "\ud800"}}, r"metadata: 'm' has a lone surrogate"),
        (7, "expected a voucher"),
    ],
)
async def test_voucher_that_no_row_can_hold(tmp_path: Path, voucher: Any, says: str) -> None:
    """What a row cannot express is refused with its place, and no file appears."""
    with pytest.raises(InvalidArgumentError, match=says):
        await write_csv([voucher], tmp_path / "out.csv")
    assert not names_in(tmp_path)
