"""What response headers say of the quota and of waiting."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from attrs import frozen

LONGEST_WINDOW: Final = 3600.0
"""Seconds of the longest window that Voucherify has."""
ASK_AGAIN: Final = 60.0
"""Seconds after which one request asks again where an answer tells what may be a mistake."""
_DAY: Final = 86_400.0
_YEARS: Final = 3_660 * _DAY
_CLOSE: Final = 60.0
_LONGEST_DATE: Final = 64
_MOST_DIGITS: Final = 15
# Not what `float` takes: signs, exponents, "nan", other scripts' digits, and thousands of digits.
_NUMBER: Final = re.compile(r"\s*[0-9]{1,15}(?:\.[0-9]{0,9})?\s*", re.ASCII)


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
    does no harm. One that is years away, such as milliseconds taken for seconds, says nothing.
    """
    stated = headers.get("retry-after", "").strip()
    seconds = _number(stated)
    if seconds is not None:
        return seconds
    moment = _http_date(stated)
    if moment is None:
        moment = _number(headers.get("x-rate-limit-retry"))
    if moment is None:
        return None
    wait = moment - server_time(headers, now)
    return max(0.0, wait) if wait < _YEARS else None


@frozen
class Turn:
    """When a window turns, as an answer tells."""

    wait: float
    """Seconds until one request may go."""
    is_certain: bool
    """Whether the others may go then too."""


def turn(headers: Mapping[str, str], now: float) -> Turn | None:
    """When the window of an answer turns, or None where the answer does not say.

    A longer wait than any window takes, and one that the two clocks do not agree on, may be a
    mistake. After such an answer one request asks again before long.
    """
    wait = retry_after(headers, now)
    if wait is None:
        return Turn(ASK_AGAIN, is_certain=False) if "x-rate-limit-retry" in headers else None
    is_counted = _number(headers.get("retry-after")) is not None
    is_agreed = is_counted or abs(server_time(headers, now) - now) <= _CLOSE
    if wait <= LONGEST_WINDOW and is_agreed:
        return Turn(wait, is_certain=True)
    return Turn(min(wait, ASK_AGAIN), is_certain=False)


def states_quota(headers: Mapping[str, str]) -> bool:
    """Whether an answer counts Voucherify's calls; a gateway's 429 does not."""
    return (
        "x-rate-limit-limit" in headers
        or "x-rate-limit-remaining" in headers
        or "x-rate-limit-retry" in headers
    )


def is_near(window: str | None, now: float) -> bool:
    """Whether a window's end, as answers name it, is one that a window can have."""
    moment = _number(window)
    return moment is not None and abs(moment - now) <= 2 * _DAY


def stated_time(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds since 1970 by the clock that an answer's `Date` shows.

    None where it has none, or one that is a day and more from ours: that is a mistake and not a
    skewed clock.
    """
    shown = _http_date(headers.get("date"))
    return shown if shown is not None and abs(shown - now) <= _DAY else None


def server_time(headers: Mapping[str, str], now: float) -> float:
    """Seconds since 1970 by the clock that an answer's `Date` shows, or `now` where it has none."""
    shown = stated_time(headers, now)
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
    if not text or len(text) > _LONGEST_DATE or not text.isascii():
        return None
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, TypeError, IndexError, OSError):
        return None


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and _NUMBER.fullmatch(text) else None


def integer(text: str | None) -> int | None:
    """The value of a header that holds a whole number, or None."""
    if text is not None and text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS:
        return int(text)
    number = _number(text)
    return None if number is None else int(number)
