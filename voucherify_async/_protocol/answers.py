"""Answers: their JSON, and the exception that an error status stands for."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, TypeVar, overload

import orjson
from attrs import field, frozen

from .. import errors
from ..errors import APIError, ResponseValidationError
from .rate_limits import retry_after

_BY_STATUS: Final[Mapping[int, type[APIError]]] = {
    400: errors.BadRequestError,
    401: errors.AuthenticationError,
    402: errors.PaymentRequiredError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    405: errors.MethodNotAllowedError,
    406: errors.NotAcceptableError,
    409: errors.ConflictError,
    413: errors.PayloadTooLargeError,
    415: errors.UnsupportedMediaTypeError,
    423: errors.LockedError,
    429: errors.RateLimitError,
}
_BEFORE_A_NUMBER: Final = b" \t\r\n:,["
# A digit is 0 here, and what it may follow as the first of a number is 1.
_KINDS: Final = bytes(
    0x30 if byte in b"0123456789" else 0x31 if byte in _BEFORE_A_NUMBER + b"-" else 0x20
    for byte in range(256)
)
_LONG: Final = b"1" + b"0" * 19


@frozen
class Answer:
    """One HTTP answer, read to its end and detached from its connection."""

    status_code: int
    headers: Mapping[str, str] = field(repr=False)
    """The headers, names in lower case."""
    content: bytes = field(repr=False)


def decode_json(content: bytes) -> Any:
    """The value of a JSON text, integers of any size exact.

    Raises:
        ValueError: The text is not JSON.
    """
    # orjson makes floats of integers over 64 bits.
    if not _has_long_number(content):
        try:
            return orjson.loads(content)
        except orjson.JSONDecodeError:
            pass
    try:
        # Some JSON is legal for others and not for orjson: a byte order mark, a lone surrogate.
        return json.loads(content, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _has_long_number(content: bytes) -> bool:
    """Whether a number has 19 digits in a row, or a string after what a number could follow."""
    kinds = content.translate(_KINDS)
    if kinds.startswith(_LONG[1:]):
        return True
    at = kinds.find(_LONG)
    while at >= 0:
        before = at - 1 if content[at : at + 1] == b"-" else at
        if before < 0 or content[before] in _BEFORE_A_NUMBER:
            return True
        at = kinds.find(_LONG, at + 1)
    return False


def _refuse(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


def decode_answer(answer: Answer) -> Any:
    """The JSON body of a successful answer, or None where it is empty.

    Raises:
        ResponseValidationError: The body is not JSON.
    """
    if not answer.content.strip():
        return None
    try:
        return decode_json(answer.content)
    except ValueError:
        shown = answer.content[:80].decode("utf-8", "replace")
        raise ResponseValidationError(json_path="$", expected="a JSON text", value=shown) from None


E = TypeVar("E", bound=APIError)


@overload
def error_from(answer: Answer, now: float) -> APIError: ...
@overload
def error_from(answer: Answer, now: float, *, cls: type[E]) -> E: ...
def error_from(answer: Answer, now: float, *, cls: type[APIError] | None = None) -> APIError:
    """The exception for an answer whose status is an error; the status alone decides its class.

    Args:
        answer: The answer, whatever its body: Voucherify's, a proxy's HTML or nothing.
        now: The time as seconds since 1970, to read dates in `Retry-After` by.
        cls: Another class, for what the status alone does not say.
    """
    cls = cls or error_class(answer.status_code)
    body = _error_body(answer)
    shown = body if isinstance(body, dict) else {}
    nested = shown.get("error")
    fallback = nested.get("message") if isinstance(nested, dict) else None
    message = _text(shown.get("message")) or _text(fallback) or _phrase(answer.status_code)
    fields: dict[str, Any] = {
        name: _text(shown.get(name))
        for name in ("key", "details", "request_id", "resource_id", "resource_type")
    }
    fields["request_id"] = fields["request_id"] or request_id(answer.headers)
    fields.update(status_code=answer.status_code, headers=answer.headers, body=body)
    if answer.status_code == 429 or "retry-after" in answer.headers:
        fields["retry_after"] = retry_after(answer.headers, now)
    return cls(message, **fields)


def is_own_error(answer: Answer) -> bool:
    """Whether an error answer is Voucherify's own, and not that of a proxy in front of it.

    Voucherify's have a code, a message and a key; those of its HTTP layer (401, 405, 406) have
    details in place of the key, and its 413 has a shape of its own.
    """
    body = _error_body(answer)
    if not isinstance(body, dict) or not isinstance(body.get("message"), str):
        return False
    if answer.status_code == 413 and body.get("statusCode") == 413:
        return True
    if _text(body.get("key")) is not None:
        return isinstance(body.get("code"), int)
    return body.get("code") == answer.status_code and _text(body.get("details")) is not None


def error_class(status: int) -> type[APIError]:
    """The exception class of an HTTP status."""
    return errors.ServerError if status >= 500 else _BY_STATUS.get(status, APIError)


def _error_body(answer: Answer) -> Any:
    if not answer.content.strip():
        return None
    try:
        return decode_json(answer.content)
    except ValueError:
        return answer.content.decode("utf-8", "replace")


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"HTTP status {status}"


def request_id(headers: Mapping[str, str]) -> str | None:
    """The id that Voucherify or its gateway gave the request."""
    return headers.get("x-request-id") or headers.get("x-voucherify-request-id")
