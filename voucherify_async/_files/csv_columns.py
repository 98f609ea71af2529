"""The columns of Voucherify's CSV imports: vouchers as rows, and rows as items of its JSON import.

Money in a cell is a whole number of minor currency units, as in JSON: 1050 is 10.50.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson

from .._conversion.converter import to_json_types
from ..errors import InvalidArgumentError
from .spreadsheets import unescape_cell

COLUMNS: Final = (
    "Code",
    "Voucher Type",
    "Value",
    "Discount Type",
    "Category",
    "Start Date",
    "Expiration Date",
    "Redemption Limit",
    "Redeemed Quantity",
    "Redeemed Amount",
    "Active",
    "Additional Info",
)
"""What `write_csv` writes; every other column of its files is a metadata key."""
_READ: Final = (
    *COLUMNS,
    "Gift Amount",
    "Loyalty Points",
    "Discount effect",
    "Formula",
    "Validation rule ID",
)
_BY_LOWER: Final = {name.lower(): name for name in _READ}
# What the JSON import has no place for, and why that matters.
_CSV_ONLY: Final = {
    "Redeemed Quantity": "what was used up would be there again",
    "Redeemed Amount": "what was spent would be on the card again",
    "Validation rule ID": "the voucher would be valid without its rule",
}
_VALUE_KEYS: Final = {
    "AMOUNT": "amount_off",
    "PERCENT": "percent_off",
    "FIXED": "fixed_amount",
    "UNIT": "unit_off",
}
_WHOLE: Final = re.compile(r"[0-9]{1,15}")
_DECIMAL: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,6})?")
_SHOWN: Final = 40


def row_of(voucher: Any, name: str) -> tuple[dict[str, str], dict[str, str]]:
    """The cells of a voucher, by column, and those of its metadata, by key.

    Args:
        voucher: A model or a mapping.
        name: What errors call it.

    Raises:
        InvalidArgumentError: It is not a voucher, or a row cannot say what it is worth.
    """
    data = to_json_types(voucher, name)
    if not isinstance(data, dict):
        raise InvalidArgumentError(f"{name}: expected a voucher, got {voucher!r}")
    if not data.get("code"):
        raise InvalidArgumentError(f"{name}: has no code")
    redemption = data.get("redemption") or {}
    value, discount_type = _worth(data, name)
    cells = {
        "Code": data["code"],
        "Voucher Type": data.get("type"),
        "Value": _whole_number(value, name),
        "Discount Type": discount_type,
        "Category": data.get("category"),
        "Start Date": data.get("start_date"),
        "Expiration Date": data.get("expiration_date"),
        "Redemption Limit": redemption.get("quantity"),
        "Redeemed Quantity": redemption.get("redeemed_quantity"),
        "Redeemed Amount": _whole_number(_redeemed(data), name),
        "Active": data.get("active"),
        "Additional Info": data.get("additional_info"),
    }
    metadata = data.get("metadata") or {}
    for key in metadata:
        if not key.strip() or key.strip() != key or key.lower() in _BY_LOWER:
            raise InvalidArgumentError(
                f"{name}.metadata: the key {key!r} cannot be a column; it is blank, has blanks "
                "around it, or is the name of a standard column"
            )
    return _texts(cells, name), _texts(metadata, f"{name}.metadata")


def _texts(cells: Mapping[str, Any], name: str) -> dict[str, str]:
    texts = {key: text for key, value in cells.items() if (text := _text(value))}
    for key, text in texts.items():
        if not (key + text).isascii() and not _is_encodable(key + text):
            raise InvalidArgumentError(
                f"{name}: {key!a} has a lone surrogate, which no file can hold"
            )
    return texts


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    # As JSON writes it: true, 10, 0.5, ["a"].
    return orjson.dumps(value).decode()


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _worth(data: Mapping[str, Any], name: str) -> tuple[Any, str | None]:
    """The value of a voucher, and of a discount its kind."""
    gift, card, discount = (data.get(key) for key in ("gift", "loyalty_card", "discount"))
    if gift:
        return gift.get("amount"), None
    if card:
        return card.get("points"), None
    if not discount:
        return None, None
    kind = discount.get("type")
    if kind not in _VALUE_KEYS or discount.get("units"):
        raise InvalidArgumentError(
            f"{name}.discount: a row of a CSV import cannot express it; use imports.vouchers()"
        )
    return discount.get(_VALUE_KEYS[kind]), kind


def _redeemed(data: Mapping[str, Any]) -> Any:
    gift = data.get("gift") or {}
    amount, balance = gift.get("amount"), gift.get("balance")
    if amount is not None and balance is not None:
        # What is left on the card is what matters, however the rest was taken off.
        return amount - balance if amount > balance else None
    return (data.get("redemption") or {}).get("redeemed_amount") or None


def _whole_number(value: Any, name: str) -> Any:
    if isinstance(value, float) and not value.is_integer():
        raise InvalidArgumentError(
            f"{name}: a row of a CSV import takes whole numbers, not {value!r}; use "
            "imports.vouchers()"
        )
    return value


def cells_of_row(item: Any) -> dict[str, Any] | None:
    """The cells of a CSV row by header, such as `csv.DictReader` gives, without escapes.

    Returns:
        The cells, or None where the item is not such a row.

    Raises:
        InvalidArgumentError: It has more cells than the header.
    """
    if not isinstance(item, Mapping) or "code" in item:
        return None
    if None in item:
        raise InvalidArgumentError("row: has more cells than the header")
    row = {
        unescape_cell(str(key)).strip(): unescape_cell(cell) if isinstance(cell, str) else cell
        for key, cell in item.items()
    }
    return row if any(key.lower() == "code" for key in row) else None


def needs_csv(row: Mapping[str, Any]) -> bool:
    """Whether a row has a column that only a CSV import takes.

    The header decides, not the cells: all rows of a file go the same way.
    """
    return any(_BY_LOWER.get(key.lower()) in _CSV_ONLY for key in row)


def csv_lines(row: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """A row as two lines of a CSV file: its header, and its cells as they are."""
    return _line(row), _line(map(_text, row.values()))


def _line(cells: Iterable[str]) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    try:
        return buffer.getvalue().encode()
    except UnicodeEncodeError:
        raise InvalidArgumentError("row: a cell has a lone surrogate") from None


def item_of_row(item: Any) -> Any:
    """The item of a JSON import that a CSV row says.

    Returns:
        The item; anything that is not such a row is returned as it is.

    Raises:
        InvalidArgumentError: A cell is not what its column takes, or says what only a CSV import
            can.
    """
    row = cells_of_row(item)
    if row is None:
        return item
    cells: dict[str, str] = {}
    metadata: dict[str, Any] = {}
    for key, cell in row.items():
        column = _BY_LOWER.get(key.lower())
        if column is not None:
            cells[column] = str(cell or "").strip()
        elif cell:
            metadata[key] = cell
    _refuse_csv_only(cells)
    cells = {column: cell for column, cell in cells.items() if cell}
    return _given(
        {
            "code": cells.get("Code"),
            "type": cells.get("Voucher Type", "").upper() or None,
            "category": cells.get("Category"),
            "start_date": cells.get("Start Date"),
            "expiration_date": cells.get("Expiration Date"),
            "additional_info": cells.get("Additional Info"),
            "active": _flag(cells.get("Active")),
            "redemption": _given({"quantity": _whole(cells, "Redemption Limit")}),
            "metadata": metadata,
            **_worth_of_row(cells),
        }
    )


def _refuse_csv_only(cells: Mapping[str, str]) -> None:
    for column, consequence in _CSV_ONLY.items():
        if cells.get(column, "").strip("0"):
            raise InvalidArgumentError(
                f"row: {column}: only a CSV import takes it, and {consequence}; import the file "
                "with imports.csv() or imports.csv_to_campaign()"
            )


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None and value != {}}


def _worth_of_row(cells: Mapping[str, str]) -> dict[str, Any]:
    kind, discount = cells.get("Voucher Type", "").upper(), cells.get("Discount Type", "").upper()
    valued = [name for name in ("Value", "Gift Amount", "Loyalty Points") if name in cells]
    if not valued:
        return {}
    if len(valued) > 1:
        raise InvalidArgumentError(f"row: {' and '.join(valued)}: only one of them can be given")
    (column,) = valued
    if column == "Gift Amount" or kind == "GIFT_VOUCHER":
        return {"gift": {"amount": _whole(cells, column)}}
    if column == "Loyalty Points" or kind == "LOYALTY_CARD":
        return {"loyalty_card": {"points": _whole(cells, column)}}
    if discount not in _VALUE_KEYS:
        raise InvalidArgumentError(
            f"row: Discount Type: expected one of {', '.join(_VALUE_KEYS)}, got "
            f"{discount[:_SHOWN]!r}"
        )
    key = _VALUE_KEYS[discount]
    read = _whole if discount in {"AMOUNT", "FIXED"} else _decimal
    return {
        "discount": _given(
            {
                "type": discount,
                key: read(cells, column),
                "effect": cells.get("Discount effect", "").upper() or None,
                f"{key}_formula": cells.get("Formula"),
            }
        )
    }


def _flag(text: str | None) -> bool | None:
    if text is None:
        return None
    if text.lower() not in {"true", "false"}:
        raise InvalidArgumentError(f"row: Active: expected true or false, got {text[:_SHOWN]!r}")
    return text.lower() == "true"


def _whole(cells: Mapping[str, str], column: str) -> int | None:
    if column not in cells:
        return None
    if not _WHOLE.fullmatch(cells[column]):
        raise InvalidArgumentError(
            f"row: {column}: expected a whole number of at most 15 digits (money in minor currency "
            f"units, 1050 for 10.50), got {cells[column][:_SHOWN]!r}"
        )
    return int(cells[column])


def _decimal(cells: Mapping[str, str], column: str) -> int | float:
    text = cells[column]
    if not _DECIMAL.fullmatch(text):
        raise InvalidArgumentError(
            f"row: {column}: expected a number such as 10 or 12.5, got {text[:_SHOWN]!r}"
        )
    return int(text) if text.isdigit() else float(text)
