"""Items of an import, each as a JSON object or as a row of a CSV file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from attrs import field, frozen

from .._files.csv_upload import PART_BYTES
from .._files.items_from_rows import cells_of_row, csv_lines, item_of_row, needs_csv
from .._protocol.bodies import MAX_BODY_BYTES, encode_json
from ..errors import InvalidArgumentError
from .batches import BodyBuilder


@frozen
class EncodedItem:
    """One item, ready to be sent."""

    content: bytes = field(repr=False)
    header: bytes | None = None
    """The header line of the CSV file that it is a row of; None where it is JSON."""

    def body(self) -> BodyBuilder:
        """An empty body for items of this form."""
        if self.header is None:
            return BodyBuilder()
        return BodyBuilder(self.header, b"", b"", limit=PART_BYTES)


def code_of(item: Any) -> str:
    """The code of an item.

    Raises:
        InvalidArgumentError: It has none.
    """
    row = cells_of_row(item)
    code: Any
    if row is not None:
        code = next(str(cell or "").strip() for name, cell in row.items() if name.lower() == "code")
    else:
        code = item.get("code") if isinstance(item, Mapping) else getattr(item, "code", None)
    if not isinstance(code, str) or not code.strip():
        raise InvalidArgumentError("item: has no code")
    return code


def encode_item(item: Any) -> EncodedItem:
    """The bytes of an item that has a code.

    Rows with columns that the JSON import would drop are sent as they are, to the CSV import.

    Raises:
        InvalidArgumentError: It cannot be sent, or would lose what has been redeemed.
    """
    row = cells_of_row(item)
    if row is not None and needs_csv(row):
        header, line = csv_lines(row)
        _check_size(len(header) + len(line), PART_BYTES)
        return EncodedItem(line, header)
    content = encode_json(item_of_row(item), name="item")
    if not content.startswith(b"{"):
        raise InvalidArgumentError(f"item: expected a model or a mapping, got {item!r}")
    _check_size(len(content) + len(b"[]"), MAX_BODY_BYTES)
    _check_unspent(content)
    return EncodedItem(content)


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise InvalidArgumentError(f"item: {size:,} bytes are more than a request can hold")


def _check_unspent(content: bytes) -> None:
    """Refuse what the JSON import drops without a word: a spent card would be full again."""
    if b'"balance"' not in content and b'"redeemed_' not in content:
        return
    item = orjson.loads(content)
    gift, redemption = (_mapping(item.get(key)) for key in ("gift", "redemption"))
    lost = [
        name
        for name, is_lost in (
            ("gift.balance", gift.get("balance") not in {None, gift.get("amount")}),
            ("redemption.redeemed_quantity", bool(redemption.get("redeemed_quantity"))),
            ("redemption.redeemed_amount", bool(redemption.get("redeemed_amount"))),
        )
        if is_lost
    ]
    if lost:
        raise InvalidArgumentError(
            f"item: Voucherify's JSON import drops {' and '.join(lost)}, so that what was redeemed "
            "could be redeemed again; write the vouchers with write_csv() and use imports.csv()"
        )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
