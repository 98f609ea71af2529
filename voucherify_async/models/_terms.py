"""What every request about a voucher can say, whether it is made, changed or imported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen

from .._unset import UNSET, Unset
from ._base import Model
from .validity import ValidityTimeframe


@frozen(kw_only=True, repr=False)
class VoucherTerms(Model):
    """When a voucher holds, and what the merchant notes about it."""

    category: str | Unset | None = UNSET
    """Name of its category."""
    start_date: datetime | str | Unset | None = UNSET
    """Instant from which it is valid; aware, or ISO 8601 text."""
    expiration_date: datetime | str | Unset | None = UNSET
    """Instant after which it is no longer valid; aware, or ISO 8601 text."""
    validity_timeframe: ValidityTimeframe | Unset | None = UNSET
    """Recurring period in which it is valid; needs a start date."""
    validity_day_of_week: Sequence[int] | Unset | None = UNSET
    """Days of the week on which it is valid: 0 is Sunday, 6 is Saturday."""
    active: bool | Unset | None = UNSET
    """Whether it is switched on."""
    additional_info: str | Unset | None = UNSET
    """Free text."""
    metadata: Mapping[str, Any] | Unset | None = UNSET
    """Your own attributes."""
