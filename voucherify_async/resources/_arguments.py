"""What callers hand in, checked and made ready before anything is sent."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from io import RawIOBase
from typing import IO, Any

import attrs

from .._checks import is_integer
from .._conversion.converter import to_json_types
from ..errors import InvalidArgumentError


def creation_body(code: str, body: Any) -> dict[str, Any]:
    """The JSON object of a voucher that is created under `code`.

    Raises:
        InvalidArgumentError: It names another code, or asks for a random one.
    """
    sent = to_json_types(object_body(body), "body")
    if sent.get("code", code) != code:
        raise InvalidArgumentError(
            f"body.code: {sent['code']!r} is not {code!r}, under which the voucher is created"
        )
    if "code_config" in sent:
        raise InvalidArgumentError(
            "body.code_config: shapes a random code; use vouchers.generate() for that"
        )
    return {key: value for key, value in sent.items() if key != "code"}


def object_body(body: Any) -> Any:
    """A request body that has to be a JSON object.

    Raises:
        InvalidArgumentError: It is neither a model nor a mapping.
    """
    if not isinstance(body, Mapping) and not attrs.has(type(body)):
        kind = type(body).__name__
        raise InvalidArgumentError(f"body: expected a model or a mapping, got {body!r} ({kind})")
    return body


def items_body(items: Iterable[Any], name: str = "items") -> list[Any]:
    """The JSON array of many items.

    Raises:
        InvalidArgumentError: It is empty, or no list of items.
    """
    if isinstance(items, (str, bytes, Mapping)):
        raise InvalidArgumentError(f"{name}: expected a list, got {type(items).__name__}")
    listed = list(items)
    if not listed:
        raise InvalidArgumentError(f"{name}: is empty; there is nothing to send")
    return listed


def check_instant(name: str, value: datetime | str | None) -> datetime | str | None:
    """Refuse a datetime without a time zone.

    Raises:
        InvalidArgumentError: It has none.
    """
    to_json_types(value, name)
    return value


def csv_form(
    file: RawIOBase | IO[bytes], name: str, *, webhooks_enable: bool | None
) -> dict[str, Any]:
    """The fields of a multipart CSV import, as httpx takes them."""
    fields: dict[str, Any] = {"file": (name, file, "text/csv")}
    if webhooks_enable is not None:
        fields["webhooks_enable"] = (None, b"true" if webhooks_enable else b"false")
    return fields


def balance_body(amount: int, source_id: str | None, reason: str | None) -> dict[str, Any]:
    """The JSON object of a balance update, which gets a label if it has none.

    Raises:
        InvalidArgumentError: The amount is 0 or not an integer, or a text is empty.
    """
    if not is_integer(amount):
        raise InvalidArgumentError(
            f"amount: expected an integer of minor currency units (100 for 1.00) or points, got "
            f"{amount!r} ({type(amount).__name__})"
        )
    if amount == 0:
        raise InvalidArgumentError("amount: is 0; there is nothing to add or take away")
    for name, text in (("source_id", source_id), ("reason", reason)):
        if text is not None and (not isinstance(text, str) or not text.strip()):
            raise InvalidArgumentError(f"{name}: expected a text, got {text!r}")
    body: dict[str, Any] = {"amount": amount, "source_id": source_id or str(uuid.uuid4())}
    return body if reason is None else {**body, "reason": reason}
