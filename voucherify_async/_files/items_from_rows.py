"""Rows of a CSV import as items of a JSON import, or as CSV again."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..errors import InvalidArgumentError
from .csv_columns import BY_LOWER, CSV_ONLY, VALUE_KEYS
from .rows_from_vouchers import cell_text
from .spreadsheets import unescape_cell

_WHOLE: Final = re.compile(r"[0-9]{1,15}")
_DECIMAL: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,6})?")
_SHOWN: Final = 40


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
    return any(BY_LOWER.get(key.lower()) in CSV_ONLY for key in row)


def csv_lines(row: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """A row as two lines of a CSV file: its header, and its cells as they are."""
    return _line(row), _line(map(cell_text, row.values()))


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
        column = BY_LOWER.get(key.lower())
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
    for column, consequence in CSV_ONLY.items():
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
    if discount not in VALUE_KEYS:
        raise InvalidArgumentError(
            f"row: Discount Type: expected one of {', '.join(VALUE_KEYS)}, got "
            f"{discount[:_SHOWN]!r}"
        )
    key = VALUE_KEYS[discount]
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
