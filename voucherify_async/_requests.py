"""What callers hand in, checked and made ready before anything is sent."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from ._converter import to_json_types
from ._protocol import MAX_BODY_BYTES, check_limit, check_size
from .errors import InvalidArgumentError

# What the multipart framing of one file adds to it at the most.
_FRAMING_BYTES = 1024


def creation_body(code: str, body: Any) -> dict[str, Any]:
    """The JSON object of a voucher that is created under `code`.

    Raises:
        InvalidArgumentError: It names another code, or asks for a random one.
    """
    sent = to_json_types(body, "body")
    if not isinstance(sent, dict):
        raise InvalidArgumentError(f"body: expected a model or a mapping, got {body!r}")
    if sent.get("code", code) != code:
        raise InvalidArgumentError(
            f"body.code: {sent['code']!r} is not {code!r}, under which the voucher is created"
        )
    if "code_config" in sent:
        raise InvalidArgumentError(
            "body.code_config: shapes a random code; use vouchers.generate() for that"
        )
    return {key: value for key, value in sent.items() if key != "code"}


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


def check_ids(ids: Sequence[str] | None) -> Sequence[str] | None:
    """Refuse an empty list of ids, which would list everything.

    Raises:
        InvalidArgumentError: It is empty, or one text.
    """
    if ids is None:
        return None
    if isinstance(ids, str) or not list(ids):
        raise InvalidArgumentError("ids: expected a list of at least one id")
    return list(ids)


def check_page(page: int, *, at_most: int) -> None:
    """Refuse a page number that the API does not serve.

    Raises:
        InvalidArgumentError: It is no integer from 1 to `at_most`.
    """
    check_limit(page, name="page", at_most=at_most)


def check_instant(name: str, value: datetime | str | None) -> datetime | str | None:
    """Refuse a datetime without a time zone.

    Raises:
        InvalidArgumentError: It has none.
    """
    to_json_types(value, name)
    return value


async def csv_part(file: Any) -> tuple[str, bytes, str]:
    """The `file` field of a multipart upload: its name, its bytes and its type.

    Raises:
        InvalidArgumentError: It is empty, over 10 MB, or not made of bytes.
        OSError: It cannot be read.
    """
    name = "vouchers.csv"
    if isinstance(file, (bytes, bytearray, memoryview)):
        content: Any = bytes(file)
    elif isinstance(file, (str, os.PathLike)):
        path = Path(file)
        name = path.name
        check_size((await anyio.Path(path).stat()).st_size, "file")
        content = await anyio.Path(path).read_bytes()
    elif callable(getattr(file, "read", None)):
        # One byte more than is allowed tells a larger file without reading all of it.
        content = await anyio.to_thread.run_sync(file.read, MAX_BODY_BYTES + 1)
    else:
        raise InvalidArgumentError(
            f"file: expected a path, bytes or a binary file, got {type(file).__name__}"
        )
    if not isinstance(content, bytes):
        raise InvalidArgumentError('file: was opened as text; open it with mode "rb"')
    if not content.strip():
        raise InvalidArgumentError("file: is empty; there is nothing to import")
    check_size(len(content) + _FRAMING_BYTES, "file")
    return name, content, "text/csv"
