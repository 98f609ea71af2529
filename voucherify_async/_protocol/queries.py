"""Query strings and addresses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from .._unset import UNSET
from ..errors import InvalidArgumentError
from .bodies import json_types

# httpx takes 65,536 in all; the base URL needs some of them.
MAX_URL_LENGTH: Final = 64_000


def encode_query(params: Mapping[str, Any] | None) -> str:
    """The query string: None is left out, lists repeat their key, mappings become `key[inner]`.

    Raises:
        InvalidArgumentError: A value cannot be expressed, such as a naive datetime.
    """
    if not params:
        return ""
    pairs: list[tuple[str, str]] = []
    for key, value in params.items():
        if value is None or value is UNSET:
            continue
        plain = json_types(value, key)
        if isinstance(plain, list):
            pairs += [(key, _query_text(item)) for item in plain if item is not None]
        else:
            pairs += _deep_object(key, plain)
    try:
        return urlencode(pairs)
    except UnicodeEncodeError:
        raise InvalidArgumentError("params: a value is not valid Unicode text") from None


def check_url(path: str, query: str) -> None:
    """Refuse an address that no HTTP client sends.

    Raises:
        InvalidArgumentError: It is too long.
    """
    size = len(path) + len(query)
    if size > MAX_URL_LENGTH:
        raise InvalidArgumentError(
            f"The address would have {size:,} characters, over {MAX_URL_LENGTH:,}; ask for fewer "
            "values at once"
        )


def _deep_object(key: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for inner, item in value.items():
            yield from _deep_object(f"{key}[{inner}]", item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _deep_object(f"{key}[{index}]", item)
    elif value is not None:
        yield key, _query_text(value)


def _query_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
