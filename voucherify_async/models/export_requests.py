"""What ``exports.create`` and ``transactions.export`` send."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from attrs import frozen

from .._unset import UNSET, Unset
from ._base import Model
from .export_fields import (
    CustomerExportField,
    CustomerExportOrder,
    OrderExportField,
    OrderExportOrder,
    PointsExpirationExportField,
    PointsExpirationExportOrder,
    PublicationExportField,
    PublicationExportOrder,
    RedemptionExportField,
    RedemptionExportOrder,
    TransactionExportField,
    TransactionExportOrder,
    VoucherExportField,
    VoucherExportOrder,
)
from .exports import ExportFilters


@frozen(kw_only=True, repr=False)
class _Parameters(Model):
    """What every export can be narrowed by."""

    filters: ExportFilters | Unset | None = UNSET
    """Which records it contains."""


@frozen(kw_only=True, repr=False)
class VoucherExportParameters(_Parameters):
    """What an export of vouchers contains."""

    order: VoucherExportOrder | Unset | None = UNSET
    """Field that the rows are sorted by; a dash means descending."""
    fields: Sequence[VoucherExportField | str] | Unset | None = UNSET
    """Columns of the file; an attribute is written as ``metadata.NAME``."""
    campaign_id: str | Unset | None = UNSET
    """Id of the campaign whose vouchers it contains."""


@frozen(kw_only=True, repr=False)
class VoucherExportCreate(Model):
    """Asks for an export of vouchers: the body of ``exports.create``."""

    exported_object: Literal["voucher"] = "voucher"
    """What the export contains."""
    parameters: VoucherExportParameters | Unset | None = UNSET
    """What the export contains in detail."""


@frozen(kw_only=True, repr=False)
class RedemptionExportParameters(_Parameters):
    """What an export of redemptions contains."""

    order: RedemptionExportOrder | Unset | None = UNSET
    """Field that the rows are sorted by; a dash means descending."""
    fields: Sequence[RedemptionExportField | str] | Unset | None = UNSET
    """Columns of the file; an attribute is written as ``metadata.NAME``."""


@frozen(kw_only=True, repr=False)
class RedemptionExportCreate(Model):
    """Asks for an export of redemptions: the body of ``exports.create``."""

    exported_object: Literal["redemption"] = "redemption"
    """What the export contains."""
    parameters: RedemptionExportParameters | Unset | None = UNSET
    """What the export contains in detail."""


@frozen(kw_only=True, repr=False)
class CustomerExportParameters(_Parameters):
    """What an export of customers contains."""

    order: CustomerExportOrder | Unset | None = UNSET
    """Field that the rows are sorted by; a dash means descending."""
    fields: Sequence[CustomerExportField | str] | Unset | None = UNSET
    """Columns of the file; an attribute is written as ``metadata.NAME``."""


@frozen(kw_only=True, repr=False)
class CustomerExportCreate(Model):
    """Asks for an export of customers: the body of ``exports.create``."""

    exported_object: Literal["customer"] = "customer"
    """What the export contains."""
    parameters: CustomerExportParameters | Unset | None = UNSET
    """What the export contains in detail."""


@frozen(kw_only=True, repr=False)
class PublicationExportParameters(_Parameters):
    """What an export of publications contains."""

    order: PublicationExportOrder | Unset | None = UNSET
    """Field that the rows are sorted by; a dash means descending."""
    fields: Sequence[PublicationExportField | str] | Unset | None = UNSET
    """Columns of the file; an attribute is written as ``metadata.NAME``."""


@frozen(kw_only=True, repr=False)
class PublicationExportCreate(Model):
    """Asks for an export of publications: the body of ``exports.create``."""

    exported_object: Literal["publication"] = "publication"
    """What the export contains."""
    parameters: PublicationExportParameters | Unset | None = UNSET
    """What the export contains in detail."""


@frozen(kw_only=True, repr=False)
class OrderExportParameters(_Parameters):
    """What an export of orders contains."""

    order: OrderExportOrder | Unset | None = UNSET
    """Field that the rows are sorted by; a dash means descending."""
    fields: Sequence[OrderExportField | str] | Unset | None = UNSET
    """Columns of the file; an attribute is written as ``metadata.NAME``."""


@frozen(kw_only=True, repr=False)
class OrderExportCreate(Model):
    """Asks for an export of orders: the body of ``exports.create``."""

    exported_object: Literal["order"] = "order"
    """What the export contains."""
    parameters: OrderExportParameters | Unset | None = UNSET
    """What the export contains in detail."""


@frozen(kw_only=True, repr=False)
class PointsExpirationExportParameters(_Parameters):
    """What an export of points that will expire contains."""

    order: PointsExpirationExportOrder | Unset | None = UNSET
    """Field that the rows are sorted by; a dash means descending."""
    fields: Sequence[PointsExpirationExportField] | Unset | None = UNSET
    """Columns of the file."""


@frozen(kw_only=True, repr=False)
class PointsExpirationExportCreate(Model):
    """Asks for an export of points that will expire: the body of ``exports.create``."""

    exported_object: Literal["points_expiration"] = "points_expiration"
    """What the export contains."""
    parameters: PointsExpirationExportParameters | Unset | None = UNSET
    """What the export contains in detail."""


@frozen(kw_only=True, repr=False)
class TransactionExportParameters(_Parameters):
    """What an export of gift card and loyalty card transactions contains."""

    order: TransactionExportOrder | Unset | None = UNSET
    """Field that the rows are sorted by; a dash means descending."""
    fields: Sequence[TransactionExportField] | Unset | None = UNSET
    """Columns of the file."""


@frozen(kw_only=True, repr=False)
class TransactionExportCreate(Model):
    """Asks for an export of card transactions: the body of ``exports.create``."""

    exported_object: Literal["voucher_transactions"] = "voucher_transactions"
    """What the export contains."""
    parameters: TransactionExportParameters | Unset | None = UNSET
    """What the export contains in detail."""


ExportCreate: TypeAlias = (
    VoucherExportCreate
    | RedemptionExportCreate
    | CustomerExportCreate
    | PublicationExportCreate
    | OrderExportCreate
    | PointsExpirationExportCreate
    | TransactionExportCreate
)
"""The body of ``exports.create``: one class for each kind of record."""

__all__ = [
    "CustomerExportCreate",
    "CustomerExportParameters",
    "ExportCreate",
    "OrderExportCreate",
    "OrderExportParameters",
    "PointsExpirationExportCreate",
    "PointsExpirationExportParameters",
    "PublicationExportCreate",
    "PublicationExportParameters",
    "RedemptionExportCreate",
    "RedemptionExportParameters",
    "TransactionExportCreate",
    "TransactionExportParameters",
    "VoucherExportCreate",
    "VoucherExportParameters",
]
