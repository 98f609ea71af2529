"""Publications: a customer was given vouchers."""

# A literal beside `str` names the values that are known today.
# ruff: noqa: PYI051

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from attrs import frozen

from ._base import Record
from .customers import Customer
from .vouchers import Voucher

PublicationOutcome: TypeAlias = Literal["SUCCESS", "FAILURE"] | str
"""How a publication ended; the API may add values."""


@frozen(kw_only=True, repr=False)
class Publication(Record):
    """A publication: of one voucher, or of several."""

    source_id: str | None = None
    """Id of the publication in the merchant's own system."""
    customer_id: str | None = None
    """Id of the customer."""
    customer: Customer | None = None
    """The customer."""
    tracking_id: str | None = None
    """The customer's source id."""
    channel: str | None = None
    """Through what it was published: the API, or a name of the merchant's."""
    metadata: Mapping[str, Any] | None = None
    """The merchant's own attributes."""
    voucher: Voucher | None = None
    """The voucher, where it is one."""
    vouchers: Sequence[str] | None = None
    """The codes of the vouchers, where they are several."""
    vouchers_id: Sequence[str] | None = None
    """Ids of the vouchers."""
    result: PublicationOutcome | None = None
    """How it ended."""
    failure_code: str | None = None
    """Voucherify's key of why it failed."""
    failure_message: str | None = None
    """Why it failed."""


__all__ = ["Publication", "PublicationOutcome"]
