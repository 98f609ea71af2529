"""Exports: CSV files that Voucherify writes in the background."""

# A literal beside `str` names the values that are known today.
# ruff: noqa: PYI051
# A function that makes an attrs field is called once a class, as it should be.
# ruff: noqa: RUF009

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeAlias

from attrs import field, frozen

from ._base import Model, json_key
from .filters import FieldConditions, Junction

ExportStatus: TypeAlias = Literal["SCHEDULED", "IN_PROGRESS", "DONE", "ERROR"] | str
"""How far an export is; the API may add values."""

ExportedObject: TypeAlias = (
    Literal[
        "voucher",
        "redemption",
        "customer",
        "publication",
        "order",
        "points_expiration",
        "voucher_transactions",
    ]
    | str
)
"""What an export contains; the API may add values."""

ExportOrder: TypeAlias = Literal["created_at", "-created_at", "status", "-status"]
"""Order of ``exports.list``; a dash means descending."""


@frozen(kw_only=True, repr=False)
class ExportFilters(Model):
    """Which records an export contains; each docstring names the exports that know the filter.

    Filters on attributes, such as ``metadata.season``, go into `extra`.
    """

    junction: Junction | None = None
    """Whether all filters must hold or any of them; every export."""
    id: FieldConditions | None = None
    """Id of the transaction; campaign transactions."""
    created_at: FieldConditions | None = None
    """Instant of creation; all but points_expiration."""
    updated_at: FieldConditions | None = None
    """Instant of the last change; voucher, customer, order."""
    created_date: FieldConditions | None = None
    """Day of creation; voucher."""
    active: FieldConditions | None = None
    """Whether the voucher is switched on; voucher."""
    redemption_status: FieldConditions | None = None
    """How far the voucher is redeemed; voucher."""
    start_date: FieldConditions | None = None
    """Instant from which the voucher is valid; voucher."""
    expiration_date: FieldConditions | None = None
    """Instant after which the voucher is no longer valid; voucher."""
    validity_day_of_week: FieldConditions | None = None
    """Days of the week on which the voucher is valid; voucher."""
    code: FieldConditions | None = None
    """Code of the voucher; voucher."""
    categories: FieldConditions | None = None
    """Names of the voucher's categories; voucher."""
    vouchers: FieldConditions | None = None
    """Ids or codes of the vouchers; voucher."""
    holder_id: FieldConditions | None = None
    """Id of the customer who holds the voucher; voucher."""
    is_referral_code: FieldConditions | None = None
    """Whether the voucher is a referral code; voucher, publication."""
    published_for_customer_id: FieldConditions | None = None
    """Id of the customer whom the voucher was given to; voucher."""
    validity_timeframe: FieldConditions | None = None
    """Recurring period in which the voucher is valid; voucher."""
    category_ids: FieldConditions | None = None
    """Ids of the voucher's categories; voucher."""
    campaign: FieldConditions | None = None
    """Campaign of the voucher; redemption, publication."""
    customer: FieldConditions | None = None
    """The customer; redemption, publication."""
    voucher: FieldConditions | None = None
    """The voucher; redemption, publication."""
    related_object: FieldConditions | None = None
    """Kind of what was redeemed; redemption."""
    voucher_code: FieldConditions | None = None
    """Code of the voucher; redemption."""
    related_object_id: FieldConditions | None = None
    """Id of what was redeemed or published; redemption, publication."""
    related_object_parent_id: FieldConditions | None = None
    """Id of the campaign of what was redeemed; redemption."""
    parent_redemption_id: FieldConditions | None = None
    """Id of the redemption that this one is a part of; redemption."""
    failure_code: FieldConditions | None = None
    """Why it failed; redemption, publication."""
    result: FieldConditions | None = None
    """Whether it succeeded; redemption, publication."""
    object: FieldConditions | None = None
    """Redemption or rollback; redemption."""
    customer_id: FieldConditions | None = None
    """Id of the customer; redemption, publication."""
    campaign_name: FieldConditions | None = None
    """Name of the campaign; redemption, publication."""
    user_login: FieldConditions | None = None
    """Login of the dashboard user; redemption."""
    status: FieldConditions | None = None
    """Status of the redemption or order; redemption, order."""
    email: FieldConditions | None = None
    """Email address of the customer; customer."""
    name: FieldConditions | None = None
    """Name of the customer; customer."""
    city: FieldConditions | None = None
    """City of the customer; customer."""
    phone: FieldConditions | None = None
    """Phone number of the customer; customer."""
    birthday: FieldConditions | None = None
    """Birthday of the customer; customer."""
    source_id: FieldConditions | None = None
    """Id in the merchant's own system; customer, publication, order."""
    publications_created_at: FieldConditions | None = json_key("publications.created_at")
    """Instant at which something was published to the customer; customer."""
    publications_related_object_id: FieldConditions | None = json_key(
        "publications.related_object_id"
    )
    """Id of what was published to the customer; customer."""
    voucher_type: FieldConditions | None = None
    """Kind of the voucher; publication."""
    parent_object_id: FieldConditions | None = None
    """Id of the campaign of what was published; publication."""
    amount: FieldConditions | None = None
    """Amount before discounts, in minor currency units; order."""
    total_amount: FieldConditions | None = None
    """Amount after discounts, in minor currency units; order."""
    discount_amount: FieldConditions | None = None
    """Discount on the whole order, in minor currency units; order."""
    total_discount_amount: FieldConditions | None = None
    """All discounts, in minor currency units; order."""
    items_discount_amount: FieldConditions | None = None
    """Discounts on items, in minor currency units; order."""
    campaign_id: FieldConditions | None = None
    """Id of the campaign; points_expiration, voucher_transactions."""
    voucher_id: FieldConditions | None = None
    """Id of the voucher; points_expiration, voucher_transactions."""


@frozen(kw_only=True, repr=False)
class ExportParameters(Model):
    """What an export was asked to contain."""

    order: str | None = None
    """Field that the rows are sorted by; a dash means descending."""
    fields: Sequence[str] | None = None
    """Columns of the file."""
    filters: ExportFilters | None = None
    """Which records it contains."""
    campaign_id: str | None = None
    """Id of the campaign whose vouchers it contains."""
    response_format: str | None = None
    """Format of the file, such as ``CSV``."""


@frozen(kw_only=True, repr=False)
class ExportResult(Model):
    """Where the finished file is."""

    # The address carries a token, which is as good as a password.
    url: str | None = field(default=None, repr=False)
    """Address of the CSV file; ``exports.download`` fetches it."""


@frozen(kw_only=True, repr=False)
class Export(Model):
    """An export: the answer of ``exports.create`` and ``.get``, an item of ``.list``.

    ``transactions.export`` answers with one too.
    """

    id: str | None = None
    """Id of the export."""
    object: str | None = None
    """Always ``export``."""
    created_at: datetime | None = None
    """Instant at which it was asked for."""
    status: ExportStatus | None = None
    """How far it is."""
    channel: str | None = None
    """Where it was asked for, such as ``API``."""
    exported_object: ExportedObject | None = None
    """What it contains."""
    parameters: ExportParameters | None = None
    """What it was asked to contain."""
    result: ExportResult | None = None
    """Where the file is; None until it is done."""
    user_id: str | None = None
    """Id of the dashboard user who asked for it."""

    @property
    def is_finished(self) -> bool:
        """Whether the export has ended, well or badly."""
        return self.status in {"DONE", "ERROR"}


__all__ = [
    "Export",
    "ExportFilters",
    "ExportOrder",
    "ExportParameters",
    "ExportResult",
    "ExportStatus",
    "ExportedObject",
]
