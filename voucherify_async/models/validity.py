"""When a voucher is valid, within its start and expiration dates."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from ._base import Model


@frozen(kw_only=True, repr=False)
class ValidityTimeframe(Model):
    """A period that recurs from the start date on, such as one hour every other day."""

    duration: str | None = None
    """How long each period lasts, as an ISO 8601 duration such as ``PT1H``."""
    interval: str | None = None
    """How much time lies between two starts, as an ISO 8601 duration such as ``P2D``."""


@frozen(kw_only=True, repr=False)
class DailyHours(Model):
    """A span of hours on some days of the week."""

    start_time: str | None = None
    """Time of day at which the span begins, as ``HH:mm``."""
    expiration_time: str | None = None
    """Time of day at which the span ends, as ``HH:mm``."""
    days_of_week: Sequence[int] | None = None
    """Days on which the span applies: 0 is Sunday, 6 is Saturday."""


@frozen(kw_only=True, repr=False)
class ValidityHours(Model):
    """The hours at which a voucher is valid."""

    daily: Sequence[DailyHours] | None = None
    """Spans of hours, which should not overlap."""


__all__ = ["DailyHours", "ValidityHours", "ValidityTimeframe"]
