"""Async actions: jobs that Voucherify runs in the background, and how they ended."""

# A literal beside `str` names the values that are known today.
# ruff: noqa: PYI051

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from attrs import frozen

from .._conversion.marks import ONE_OR_MANY
from ._base import Model, Record, incidental

AsyncActionType: TypeAlias = (
    Literal[
        "CAMPAIGN.VOUCHERS_IMPORT",
        "CAMPAIGN.VOUCHERS_IMPORT_CSV",
        "CAMPAIGN.VOUCHERS_UPDATE",
        "CAMPAIGN.VOUCHERS_DELETE",
        "CAMPAIGN.VOUCHERS_GENERATE",
        "CAMPAIGNS.METADATA_KEY_PURGE",
        "CUSTOMERS.IMPORT_CSV",
        "CUSTOMERS.BULK_UPDATE",
        "CUSTOMERS.METADATA_UPDATE",
        "CUSTOMERS.METADATA_KEY_PURGE",
        "PRODUCTS.BULK_UPDATE",
        "PRODUCTS.METADATA_UPDATE",
        "PRODUCTS.METADATA_KEY_PURGE",
        "PRODUCTS.IMPORT_CSV",
        "SKUS.IMPORT_CSV",
        "VOUCHERS.IMPORT",
        "VOUCHERS.IMPORT_CSV",
        "VOUCHERS.BULK_UPDATE",
        "VOUCHERS.METADATA_UPDATE",
        "VOUCHERS.METADATA_KEY_PURGE",
        "ORDERS.IMPORT",
        "ORDERS.METADATA_KEY_PURGE",
    ]
    | str
)
"""What a job does; the API may add values."""

AsyncActionStatus: TypeAlias = Literal["ENQUEUED", "IN_PROGRESS", "DONE", "FAILED"] | str
"""How far a job is; the API may add values."""

OperationStatus: TypeAlias = Literal["SUCCESS", "FAILED", "UNKNOWN"] | str
"""How a job went; the API may add values."""


@frozen(kw_only=True, repr=False)
class AsyncActionAccepted(Model):
    """The answer of an import or a bulk update: the job has been queued."""

    async_action_id: str | None = None
    """Id of the job, for ``async_actions.get`` and ``.wait``."""


@frozen(kw_only=True, repr=False)
class AsyncActionFailure(Model):
    """One item of an import that was refused."""

    code: str | None = None
    """The voucher's code, in imports of vouchers."""
    source_id: str | None = None
    """The merchant's id of it, in imports of customers, products and orders."""
    row: int | None = None
    """Row of the CSV file, not counting its header, in CSV imports."""
    reason: str | None = None
    """Why it was refused."""


@frozen(kw_only=True, repr=False)
class AsyncActionItemError(Model):
    """One item of a bulk update that was refused."""

    message: str | None = None
    """What went wrong, in short."""
    details: str | None = None
    """What went wrong, in full."""
    key: str | None = None
    """Kind of the error, such as ``not_found``."""
    code: str | None = None
    """The voucher's code, in updates of vouchers."""
    source_id: str | None = None
    """The merchant's id of it, in updates of customers and products."""


@frozen(kw_only=True, repr=False)
class AsyncActionItemResult(Model):
    """What became of one item of a bulk update."""

    code: str | None = None
    """The voucher's code, in updates of vouchers."""
    source_id: str | None = None
    """The merchant's id of it, in updates of customers and products."""
    found: bool | None = None
    """Whether there is such a thing."""
    updated: bool | None = None
    """Whether it was changed."""

    @property
    def has_failed(self) -> bool:
        """Whether the item was not changed as it was asked for."""
        return self.found is False or self.updated is False


@frozen(kw_only=True, repr=False)
class AsyncActionResult(Model):
    """What a job has done; its type decides which fields are set."""

    message: str | None = None
    """The outcome in a sentence."""
    done_count: int | None = None
    """How many items succeeded."""
    failed_count: int | None = None
    """How many items failed."""
    failed: Annotated[Sequence[AsyncActionFailure], ONE_OR_MANY] | None = None
    """The items that an import refused; a single object in the answer is one item here."""
    errors: Sequence[AsyncActionItemError] | None = None
    """The items that a bulk update refused."""
    results: Sequence[AsyncActionItemResult] | None = None
    """What became of each item, where a bulk update tells that."""
    reports: Sequence[str] | None = None
    """Addresses of report files."""
    reports_available_till: datetime | None = None
    """Instant until which the reports can be fetched."""


@frozen(kw_only=True, repr=False)
class AsyncAction(Record):
    """A background job: the answer of ``async_actions.get`` and an item of ``.list``."""

    type: AsyncActionType | None = None
    """What it does."""
    status: AsyncActionStatus | None = None
    """How far it is; DONE says nothing about items that failed, see `has_failures`."""
    operation_status: OperationStatus | None = None
    """How it went."""
    result: AsyncActionResult | None = None
    """What it has done; listings leave it out."""
    request_id: str | None = None
    """Id of the request that started it."""
    processing_time: int | None = incidental()
    """How long it took, in milliseconds."""
    progress: int | None = incidental()
    """How far it is, in percent."""

    @property
    def is_finished(self) -> bool:
        """Whether the job has ended, well or badly."""
        return self.status in {"DONE", "FAILED"}

    @property
    def has_failures(self) -> bool:
        """Whether the job failed, as a whole or for some of its items."""
        if self.status == "FAILED" or self.operation_status == "FAILED":
            return True
        result = self.result
        if result is None:
            return False
        missed = any(item.has_failed for item in result.results or ())
        return missed or bool(result.failed_count or result.failed or result.errors)


__all__ = [
    "AsyncAction",
    "AsyncActionAccepted",
    "AsyncActionFailure",
    "AsyncActionItemError",
    "AsyncActionItemResult",
    "AsyncActionResult",
    "AsyncActionStatus",
    "AsyncActionType",
    "OperationStatus",
]
