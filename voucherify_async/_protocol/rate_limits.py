"""What response headers say of the quota and of waiting."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from attrs import frozen


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
