"""`client.imports`: many vouchers at once, as JSON or as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import PathLike
from typing import IO, TYPE_CHECKING, Any, Unpack

from .. import _requests, _routes
from .._caller import CallOptions
from .._routes import Route
from ..jobs import AsyncJob
from ._resource import Resource
from .async_actions import AsyncActions

if TYPE_CHECKING:
    from ..models import CampaignImport, VoucherImport

CsvFile = str | PathLike[str] | bytes | IO[bytes]
"""A path, the bytes themselves, or a file opened for reading bytes."""


class Imports(Resource):
    """Import vouchers; every import goes on in the background after it was accepted."""

    async def vouchers(
        self, items: Iterable[VoucherImport | Mapping[str, Any]], **options: Unpack[CallOptions]
    ) -> AsyncJob:
        """Import standalone vouchers (`POST /v1/vouchers/import`, operation import-vouchers).

        Args:
            items: `DiscountVoucherImport`, `GiftVoucherImport` or the mappings that Voucherify
                documents; 10 MB in all. Amounts are in minor currency units.
            **options: `timeout` in seconds and `retry`, for this call.

        Returns:
            A handle on the background job; what became of each voucher is in its result.

        Raises:
            InvalidArgumentError: There are no items, or more than 10 MB of them.
            AmbiguousOutcomeError: The import may or may not have been accepted.
        """
        return await self._import(_routes.IMPORT_VOUCHERS, items, options)

    async def vouchers_to_campaign(
        self,
        campaign_id: str,
        items: Iterable[CampaignImport | Mapping[str, Any]],
        **options: Unpack[CallOptions],
    ) -> AsyncJob:
        """Import vouchers into a campaign (`POST /v1/campaigns/{campaignId}/import`).

        Args:
            campaign_id: The campaign's id or name.
            items: `CampaignVoucherImport` and the like, or mappings; 10 MB in all.
            **options: `timeout` in seconds and `retry`, for this call.

        Returns:
            A handle on the background job.

        Raises:
            InvalidArgumentError: There are no items, or more than 10 MB of them.
            NotFoundError: There is no such campaign.
            AmbiguousOutcomeError: The import may or may not have been accepted.
        """
        return await self._import(
            _routes.IMPORT_TO_CAMPAIGN, items, options, campaign_id=campaign_id
        )

    async def csv(
        self,
        file: CsvFile,
        *,
        webhooks_enable: bool | None = None,
        **options: Unpack[CallOptions],
    ) -> AsyncJob:
        """Import standalone vouchers from CSV (`POST /v1/vouchers/importCSV`).

        Columns: Code, Voucher Type, Value, Discount Type, Category, Start Date, Expiration Date,
        Redemption Limit, Redeemed Quantity, Redeemed Amount, Active, Additional Info; every other
        one becomes a metadata key.

        Args:
            file: A path, the bytes, or a file opened for reading bytes; 10 MB at the most.
            webhooks_enable: Whether the project's webhooks hear of every voucher in the file.
            **options: `timeout` in seconds and `retry`, for this call.

        Returns:
            A handle on the background job.

        Raises:
            InvalidArgumentError: The file is empty, over 10 MB, or was opened as text.
            OSError: The file cannot be read.
            AmbiguousOutcomeError: The import may or may not have been accepted.
        """
        return await self._import_csv(
            _routes.IMPORT_CSV, file, options, webhooks_enable=webhooks_enable
        )

    async def csv_to_campaign(
        self, campaign_id: str, file: CsvFile, **options: Unpack[CallOptions]
    ) -> AsyncJob:
        """Import vouchers into a campaign from CSV (`POST /v1/campaigns/{campaignId}/importCSV`).

        Args:
            campaign_id: The campaign's id or name.
            file: As for `csv`.
            **options: `timeout` in seconds and `retry`, for this call.

        Returns:
            A handle on the background job.

        Raises:
            InvalidArgumentError: The file is empty, over 10 MB, or was opened as text.
            NotFoundError: There is no such campaign.
            AmbiguousOutcomeError: The import may or may not have been accepted.
        """
        return await self._import_csv(
            _routes.IMPORT_CSV_TO_CAMPAIGN, file, options, campaign_id=campaign_id
        )

    async def _import(
        self, route: Route, items: Iterable[Any], options: CallOptions, **path: str
    ) -> AsyncJob:
        body = _requests.items_body(items)
        id = await self._accepted(route, body=body, options=options, **path)  # noqa: A001
        return AsyncJob(id, AsyncActions(self._caller))

    async def _import_csv(
        self,
        route: Route,
        file: CsvFile,
        options: CallOptions,
        *,
        webhooks_enable: bool | None = None,
        **path: str,
    ) -> AsyncJob:
        route.path(**path)  # refused before a file is read
        files = await _requests.csv_form(file, webhooks_enable=webhooks_enable)
        id = await self._accepted(route, files=files, options=options, **path)  # noqa: A001
        return AsyncJob(id, AsyncActions(self._caller))
