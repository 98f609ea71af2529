"""Request bodies: models and mappings to the bytes of their JSON."""

from __future__ import annotations

import json
from typing import Any, Final

import orjson

from ..errors import InvalidArgumentError

_THROUGH_THE_CONVERTER: Final = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
MAX_BODY_BYTES: Final = 10_000_000
"""The API's 10 MB, in the stricter reading: what it takes in one request."""


def encode_json(body: Any, *, name: str = "body") -> bytes:
    """The bytes of a request body that is a model, a mapping or a list of them.

    Raises:
        InvalidArgumentError: JSON cannot express it, or it is over the 10 MB that the API takes.
    """
    # The converter is loaded with the client and not with the package, as cattrs takes its time.
    from .._conversion.converter import check_finite, to_plain

    try:
        content = orjson.dumps(body, default=to_plain, option=_THROUGH_THE_CONVERTER)
    except TypeError:
        content = _encode_slowly(body, name)
    if b"null" in content:
        # It may stand for a NaN, which would delete what it was to replace.
        check_finite(body, name)
    check_size(len(content), name)
    return content


def _encode_slowly(body: Any, name: str) -> bytes:
    """Encode what orjson does not take as it is: it has an `UNSET`, or an error to be located."""
    from .._conversion.converter import check_finite

    plain = json_types(body, name)
    try:
        return orjson.dumps(plain)
    except TypeError:
        # An integer over 64 bits or 255 levels, which JSON has and orjson has not.
        check_finite(plain, name)
    try:
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()
    except RecursionError:
        raise InvalidArgumentError(f"{name}: is nested too deeply") from None
    except ValueError as error:
        raise InvalidArgumentError(f"{name}: {error}") from None


def json_types(value: Any, root: str) -> Any:
    """What callers hand in, as JSON types; `root` names it in errors."""
    from .._conversion.converter import to_json_types

    return to_json_types(value, root)


def check_size(size: int, name: str) -> None:
    """Refuse a body that the API would refuse.

    Raises:
        InvalidArgumentError: The body is over 10 MB.
    """
    if size > MAX_BODY_BYTES:
        raise InvalidArgumentError(
            f"{name}: {size:,} bytes are over the {MAX_BODY_BYTES:,} that Voucherify takes in one "
            "request; split it"
        )
