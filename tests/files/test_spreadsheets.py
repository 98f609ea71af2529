from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucherify_async import InvalidArgumentError, Voucher, escape_cell, write_csv
from voucherify_async._files.items_from_rows import item_of_row
from voucherify_async._files.spreadsheets import unescape_cell
from voucherify_async.testing import FakeVoucherify

STARTS = "=+-@\t\r\n"


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        *((f"{start}cmd|' /C calc'!A0", f"'{start}cmd|' /C calc'!A0") for start in STARTS),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("-5+1", "'-5+1"),
        ("-\u0661", "'-\u0661"),
        ("'=1", "''=1"),
        ("''=1", "'''=1"),
        ("-5", "-5"),
        ("+4.50", "+4.50"),
        ("'tis", "'tis"),
        ("a=1", "a=1"),
        ("", ""),
    ],
)
def test_formulas_get_an_apostrophe(text: str, cell: str) -> None:
    """What a spreadsheet would run gets an apostrophe; numbers and other texts stay."""
    assert escape_cell(text) == cell
    assert unescape_cell(cell) == text


@given(st.text(alphabet=f"{STARTS}'a1.", max_size=6))
def test_every_text_comes_back(text: str) -> None:
    """The escape is undone without doubt, whatever the text was."""
    cell = escape_cell(text)
    assert unescape_cell(cell) == text
    assert cell[:1] not in STARTS or not cell or cell.lstrip("+-").replace(".", "").isdigit()


VOUCHER: dict[str, Any] = {
    "code": "=CODE",
    "type": "GIFT_VOUCHER",
    "gift": {"amount": 1050},
    "additional_info": '@SUM(A1)\nsecond "line", and more',
    "metadata": {"=key": "+plus", "n": "-5", "q": "'-quoted", "two": "a\r\nb\rc"},
}


@pytest.mark.anyio
async def test_one_escaped_cell_is_enough(tmp_path: Path) -> None:
    """A single escaped cell behind plain ones is undone in the upload."""
    plain = {"code": "A", "gift": {"amount": 1}, "type": "GIFT_VOUCHER", "metadata": {"m": "x"}}
    path = await write_csv([plain, plain | {"code": "-B"}], tmp_path / "out.csv")
    fake = FakeVoucherify()
    async with fake:
        await fake.client().imports.csv(path)
    assert set(fake.vouchers) == {"A", "-B"}


@pytest.mark.anyio
@pytest.mark.parametrize("raw", [False, True])
async def test_written_cells_are_imported_as_they_were(raw: bool, tmp_path: Path) -> None:
    """Both imports take the apostrophes off again; `raw` writes none."""
    path = await write_csv([VOUCHER], tmp_path / "out.csv", raw=raw)
    text = path.read_bytes().decode()
    header, cells = csv.reader(io.StringIO(text, newline=""))
    shown = [cell for cell in header + cells if cell[:1] in STARTS and cell not in {"", "-5"}]
    assert (shown == []) != raw
    if raw:
        return
    fake, other = FakeVoucherify(), FakeVoucherify()
    fake.polls_until_done = other.polls_until_done = 0
    async with fake, other:
        await fake.client().imports.csv(path)
        rows = csv.DictReader(io.StringIO(text, newline=""))
        await other.client().imports.stream(rows)
    for server in (fake, other):
        served = server.vouchers["=CODE"]
        assert served["gift"]["amount"] == 1050
        assert served["metadata"] == VOUCHER["metadata"]
        assert served["additional_info"] == VOUCHER["additional_info"]


@pytest.mark.anyio
async def test_file_without_escapes_is_uploaded_as_it_is(tmp_path: Path) -> None:
    """A file that has nothing to undo goes up byte by byte, whatever its line ends are."""
    content = b"\xef\xbb\xbfN,Code,Voucher Type,Value\r\n1,A,GIFT_VOUCHER,-5\n\n1,B,,\n"
    fake = FakeVoucherify()
    async with fake:
        await fake.client().imports.csv(content)
    assert content in fake.requests[-1].body


@pytest.mark.anyio
async def test_vouchers_that_no_row_can_express_are_told(tmp_path: Path) -> None:
    """With `on_inexpressible` such vouchers are left out and told, in place of an error."""
    told: list[tuple[Any, str]] = []
    half = {"code": "HALF", "discount": {"type": "PERCENT", "percent_off": 12.5}}
    path = await write_csv(
        [half, VOUCHER, {}],
        tmp_path / "out.csv",
        on_inexpressible=lambda voucher, error: told.append((voucher, str(error))),
    )
    assert [row["Code"] for row in rows_of(path)] == ["'=CODE"]
    assert [voucher for voucher, _ in told] == [half, {}]
    assert "vouchers[0]" in told[0][1]
    assert "vouchers[2]: has no code" in told[1][1]


@pytest.mark.anyio
async def test_long_cells_are_written(tmp_path: Path) -> None:
    """A cell may be longer than the csv module reads by default."""
    path = await write_csv([{"code": "A", "metadata": {"m": "x" * 200_000}}], tmp_path / "out.csv")
    assert b"x" * 200_000 in path.read_bytes()


BASE = {"Code": "A", "Voucher Type": "GIFT_VOUCHER"}


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ({"Value": "1e999999"}, "Value: expected a whole number"),
        ({"Value": "1e1000000"}, "Value: expected a whole number"),
        ({"Value": "9" * 5_000}, "Value: .*got '9{40}'$"),
        ({"Value": "10.50"}, "1050 for 10.50"),
        ({"Value": "10.00"}, "1050 for 10.50"),
        ({"Value": "-5"}, "whole number"),
        ({"Value": "\u0661\u0660"}, "whole number"),
        ({"Value": "NaN"}, "whole number"),
        ({"Value": "1", "Redemption Limit": "1e9999999"}, "Redemption Limit"),
        ({"Value": "1", "Gift Amount": "1"}, "Value and Gift Amount"),
        ({"Value": "1", "Redeemed Amount": "5"}, "only a CSV import takes it"),
        ({"Value": "1", "Redeemed Quantity": "1"}, "only a CSV import takes it"),
        ({"Value": "1", "Validation rule ID": "val_1"}, "only a CSV import takes it"),
        (
            {"Voucher Type": "DISCOUNT_VOUCHER", "Discount Type": "PERCENT", "Value": "1e999999"},
            "expected a number",
        ),
        (
            {"Voucher Type": "DISCOUNT_VOUCHER", "Discount Type": "UNIT", "Value": "1." + "1" * 99},
            "expected a number",
        ),
    ],
)
def test_cells_that_no_item_can_be_made_of(cells: dict[str, str], says: str) -> None:
    """Numbers are bounded before they are converted, and what JSON would lose is refused."""
    with pytest.raises(InvalidArgumentError, match=says):
        item_of_row(BASE | cells)


@pytest.mark.parametrize(
    ("cells", "part"),
    [
        ({"Value": "1050"}, {"gift": {"amount": 1050}}),
        ({"Value": "1050", "Redeemed Amount": "0"}, {"gift": {"amount": 1050}}),
        ({"Voucher Type": "", "Gift Amount": "7"}, {"gift": {"amount": 7}}),
        ({"Voucher Type": "", "loyalty points": "7"}, {"loyalty_card": {"points": 7}}),
        (
            {
                "Voucher Type": "DISCOUNT_VOUCHER",
                "Value": "12.5",
                "Discount Type": "percent",
                "Discount Effect": "apply_to_items",
                "Formula": "5*x",
            },
            {
                "discount": {
                    "type": "PERCENT",
                    "percent_off": 12.5,
                    "effect": "APPLY_TO_ITEMS",
                    "percent_off_formula": "5*x",
                }
            },
        ),
        ({"Shop": "'=1"}, {"metadata": {"Shop": "=1"}}),
    ],
)
def test_documented_columns_become_properties(cells: dict[str, str], part: dict[str, Any]) -> None:
    """The columns of both CSV imports are read, money in minor units."""
    item = item_of_row(BASE | cells)
    assert part.items() <= item.items()
    assert set(item) - set(part) <= {"code", "type"}


@pytest.mark.anyio
async def test_models_are_written_in_minor_units(tmp_path: Path) -> None:
    """What the API served is written as the whole numbers that it holds."""
    fake = FakeVoucherify()
    fake.add_voucher(code="A", gift={"amount": 10_000, "balance": 2_550})
    async with fake:
        served: Voucher = await fake.client().vouchers.get("A")
    path = await write_csv([served], tmp_path / "out.csv")
    (row,) = rows_of(path)
    assert (row["Value"], row["Redeemed Amount"]) == ("10000", "7450")
