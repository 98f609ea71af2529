"""`client.transactions`: what happened on a gift card or a loyalty card."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Unpack

from .._calls.call import CallOptions, check_options
from .._protocol.routes import EXPORT_TRANSACTIONS, LIST_TRANSACTIONS
from ..jobs import ExportJob
from ..models.exports import Export
from ..models.transactions import TransactionOrder, VoucherTransaction
from ..pagination import AsyncPaginator
from ._raw import RawResource, raw
from ._resource import DEFAULT_LIMIT, Resource
from .exports import Exports

if TYPE_CHECKING:
    from ..models import TransactionExportField, TransactionExportOrder


class Transactions(Resource):
    """List, find and export the transactions of a card."""

    @cached_property
    def with_raw_response(self) -> RawTransactions:
        """The same methods, which return status and headers too."""
        return RawTransactions(self)

    def list(
        self,
        code: str,
        *,
        limit: int = DEFAULT_LIMIT,
        order: TransactionOrder | None = None,
        starting_after_id: str | None = None,
        max_items: int | None = None,
        prefetch: int = 1,
        **options: Unpack[CallOptions],
    ) -> AsyncPaginator[VoucherTransaction]:
        """List a card's transactions (`GET /v1/vouchers/{code}/transactions`).

        Args:
            code: The card's code.
            limit: Transactions a page, 1 to 100.
            order: `id` for oldest first, `-id` for newest first.
            starting_after_id: Begin after the transaction with this id.
            max_items: How many transactions to yield at the most.
            prefetch: Whether to read a page ahead while you work on one; 0 does not.

        Returns:
            A paginator: iterate it, or await it for the first page.

        Raises:
            InvalidArgumentError: An argument is out of range.
            NotFoundError: While walking: there is no such voucher.
            PaginationError: While walking: the server repeats a cursor.
        """
        return self._list(
            VoucherTransaction,
            LIST_TRANSACTIONS(code=code),
            {"limit": limit, "order": order, "starting_after_id": starting_after_id},
            options,
            max_items=max_items,
            prefetch=prefetch,
        )

    async def find(
        self, code: str, *, source_id: str, **options: Unpack[CallOptions]
    ) -> VoucherTransaction | None:
        """Find a card's transaction by the label of the balance update, newest first.

        Args:
            code: The card's code.
            source_id: The label.

        Returns:
            The newest transaction with that label, or None.

        Raises:
            NotFoundError: There is no such voucher.
        """
        check_options(options)
        async for transaction in self.list(code, order="-id", **options):
            if transaction.source_id == source_id:
                return transaction
        return None

    async def export(
        self,
        code: str,
        *,
        order: TransactionExportOrder | None = None,
        fields: Sequence[TransactionExportField] | None = None,
        **options: Unpack[CallOptions],
    ) -> ExportJob:
        """Export a card's transactions as CSV (`POST /v1/vouchers/{code}/transactions/export`).

        Args:
            code: The card's code.
            order: What to sort by; a dash before it sorts downwards.
            fields: The columns; by default all.

        Returns:
            A handle on the export.

        Raises:
            NotFoundError: There is no such voucher.
            AmbiguousOutcomeError: The export may or may not have been accepted.
        """
        chosen = {"order": order, "fields": fields}
        parameters = {key: value for key, value in chosen.items() if value is not None}
        export = await self._fetch(
            Export, EXPORT_TRANSACTIONS(code=code), options, body={"parameters": parameters}
        )
        return Exports(self._caller).follow(export)


class RawTransactions(RawResource[Transactions]):
    """`client.transactions.with_raw_response`."""

    list = raw(Transactions.list)
    find = raw(Transactions.find)
    export = raw(Transactions.export)
