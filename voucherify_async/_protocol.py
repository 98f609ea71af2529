"""What the bytes mean, as pure functions: no I/O, no await.

Queries and bodies go out; error bodies, quota headers and JSON come in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final, TypeVar, overload
from urllib.parse import urlencode

import orjson
from attrs import frozen

from . import errors
from ._sentinels import UNSET
from .errors import APIError, InvalidArgumentError, ResponseValidationError

_THROUGH_THE_CONVERTER: Final = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
MAX_BODY_BYTES: Final = 10 * 1024 * 1024
MAX_LIMIT: Final = 100
# httpx takes 65,536 in all; the base URL needs some of them.
MAX_URL_LENGTH: Final = 64_000

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


@frozen
class Answer:
    """One HTTP answer, read to its end and detached from its connection."""

    status_code: int
    headers: Mapping[str, str]
    """The headers, names in lower case."""
    content: bytes


@frozen
class RateLimit:
    """The quota as the last answer stated it."""

    limit: int | None
    """How many requests the window allows."""
    remaining: int | None
    """How many of them are left."""
    resets_at: datetime | None
    """When the next request can be made once none is left: by Voucherify's clock."""
    type: str | None
    """Which quota it is, such as `api_calls` or `bulk_api_calls`; often not stated."""


def encode_json(body: Any, *, name: str = "body") -> bytes:
    """The bytes of a request body that is a model, a mapping or a list of them.

    Raises:
        InvalidArgumentError: JSON cannot express it, or it is over the 10 MB that the API takes.
    """
    # The converter is loaded with the client and not with the package, as cattrs takes its time.
    from ._converter import check_finite, to_plain

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
    try:
        return orjson.dumps(_json_types(body, name))
    except TypeError as error:
        raise InvalidArgumentError(f"{name}: {error}") from None


def _json_types(value: Any, root: str) -> Any:
    from ._converter import to_json_types

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


def check_limit(limit: int, *, name: str = "limit", at_most: int = MAX_LIMIT) -> None:
    """Refuse a page size or number that the API would refuse.

    Raises:
        InvalidArgumentError: It is no integer from 1 to `at_most`.
    """
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= at_most:
        raise InvalidArgumentError(
            f"{name}: expected an integer from 1 to {at_most}, got {limit!r}"
        )


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
        plain = _json_types(value, key)
        if isinstance(plain, list):
            pairs += [(key, _query_text(item)) for item in plain if item is not None]
        else:
            pairs += _deep_object(key, plain)
    try:
        return urlencode(pairs)
    except UnicodeEncodeError:
        raise InvalidArgumentError("params: a value is no valid Unicode text") from None


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


def decode_json(content: bytes) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: It is no JSON.
    """
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        pass
    try:
        # Some JSON is legal for others and not for orjson: a byte order mark, a lone surrogate.
        return json.loads(content)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def decode_answer(answer: Answer) -> Any:
    """The JSON body of a successful answer, or None where it is empty.

    Raises:
        ResponseValidationError: The body is no JSON.
    """
    if not answer.content.strip():
        return None
    try:
        return decode_json(answer.content)
    except ValueError:
        shown = answer.content[:80].decode("utf-8", "replace")
        raise ResponseValidationError(path="$", expected="a JSON text", value=shown) from None


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


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds until the next request can be made, or None where the answer does not say.

    `Retry-After` (seconds or an HTTP date) comes first, then `X-Rate-Limit-Retry` (seconds since
    1970). Instants are read by the clock of the answer's `Date`, so that a skewed clock here
    does no harm.
    """
    server_now = server_time(headers, now)
    stated = headers.get("retry-after", "").strip()
    seconds = _number(stated)
    if seconds is not None:
        return max(0.0, seconds)
    moment = _http_date(stated)
    if moment is None:
        moment = _number(headers.get("x-rate-limit-retry"))
    return None if moment is None else max(0.0, moment - server_now)


def server_time(headers: Mapping[str, str], now: float) -> float:
    """Seconds since 1970 by the clock that an answer's `Date` shows, or `now` where it has none."""
    shown = _http_date(headers.get("date"))
    return now if shown is None else shown


def rate_limit(headers: Mapping[str, str]) -> RateLimit | None:
    """The quota that an answer states, or None where it states none."""
    if "x-rate-limit-limit" not in headers and "x-rate-limit-remaining" not in headers:
        return None
    resets = _number(headers.get("x-rate-limit-retry"))
    return RateLimit(
        limit=integer(headers.get("x-rate-limit-limit")),
        remaining=integer(headers.get("x-rate-limit-remaining")),
        resets_at=_instant(resets),
        type=headers.get("x-rate-limit-type"),
    )


def _instant(seconds: float | None) -> datetime | None:
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _http_date(text: str | None) -> float | None:
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _number(text: str | None) -> float | None:
    # isdecimal() keeps "nan", "inf" and "1e9" out, which float() takes.
    text = (text or "").strip()
    return float(text) if text.replace(".", "", 1).isdecimal() and len(text) < 20 else None


def integer(text: str | None) -> int | None:
    """The value of a header that holds a whole number, or None."""
    number = _number(text)
    return None if number is None else int(number)
