"""`client.imports`: many vouchers at once, as JSON or as CSV."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Mapping
from contextlib import ExitStack
from functools import cached_property, partial
from os import PathLike
from typing import IO, TYPE_CHECKING, Any, Unpack

from anyio import to_thread

from .._bulk.combined_jobs import job_of
from .._bulk.import_stream import ImportStream, OnProgress
from .._bulk.reports import ResumePoint
from .._bulk.request_series import RequestSeries
from .._calls.call import CallOptions, check_options
from .._files.csv_upload import CsvPartFile, checked_csv
from .._protocol.route import BoundRoute
from .._protocol.routes import IMPORT_CSV_TO_CAMPAIGN, IMPORT_TO_CAMPAIGN, IMPORT_VOUCHERS
from ..jobs import AsyncJob
from . import _arguments
from ._import_api import ImportApi
from ._raw import RawResource, raw
from ._resource import Resource
from .async_actions import AsyncActions

if TYPE_CHECKING:
    from ..models import CampaignImport, VoucherImport

CsvFile = str | PathLike[str] | bytes | IO[bytes]
"""A path, the bytes themselves, or a file opened for reading bytes."""


class Imports(Resource):
    """Import vouchers; every import goes on in the background after it was accepted."""

    @cached_property
    def with_raw_response(self) -> RawImports:
        """The same methods, which return status and headers too."""
        return RawImports(self)

    async def vouchers(
        self, items: Iterable[VoucherImport | Mapping[str, Any]], **options: Unpack[CallOptions]
    ) -> AsyncJob:
        """Import standalone vouchers (`POST /v1/vouchers/import`, operation import-vouchers).

        Args:
            items: `DiscountVoucherImport`, `GiftVoucherImport` or the mappings that Voucherify
                documents; 10 MB in all. Amounts are in minor currency units.

        Returns:
            A handle on the background job; what became of each voucher is in its result.

        Raises:
            InvalidArgumentError: There are no items, or more than 10 MB of them.
            AmbiguousOutcomeError: The import may or may not have been accepted.
        """
        return await self._import(IMPORT_VOUCHERS(), items, options)

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

        Returns:
            A handle on the background job.

        Raises:
            InvalidArgumentError: There are no items, or more than 10 MB of them.
            NotFoundError: There is no such campaign.
            AmbiguousOutcomeError: The import may or may not have been accepted.
        """
        return await self._import(IMPORT_TO_CAMPAIGN(campaign_id=campaign_id), items, options)

    def stream(
        self,
        items: Iterable[Any] | AsyncIterable[Any],
        *,
        on_progress: OnProgress | None = None,
        max_in_flight: int = 4,
        campaign_id: str | None = None,
        resume_from: ResumePoint | int = 0,
        **options: Unpack[CallOptions],
    ) -> ImportStream:
        """Import vouchers of any number. Sends nothing until it is awaited.

        ```python
        report = await client.imports.stream(items)
        print(report.done_count, report.failures)
        ```

        Items are cut into as few requests as 10 MB allow, sent one after another, and each job is
        followed to its end. An item that cannot be sent, or whose code an earlier item has, is
        reported and not sent. In memory are the codes, and one request.

        What may have been accepted is not sent again. Where the answer to a request is lost, its
        job is looked for: by its counts, and by its codes, which have to have been written since.
        It is sent again only if there is no trace of it after three minutes. A process that may be
        killed stores `report.resume_from` in `on_progress`: another one goes on from there.

        Rows of a CSV file go to the JSON import, which refuses codes that exist. Those with a
        column that it would drop (Redeemed Quantity, Redeemed Amount, Validation rule ID) go to the
        CSV import, which updates codes that exist. Models and mappings that say what has been
        redeemed are reported and not sent: use `write_csv` and `csv`.

        Args:
            items: Any iterable or async iterable of models and mappings as for `vouchers`, or of
                mappings with the columns of a CSV import, such as `csv.DictReader` gives.
            on_progress: Called with the report before each request, when it was accepted, and when
                a job has ended. An async function is awaited: nothing is sent before it has
                returned, so that what it stores holds whatever happens next.
            max_in_flight: How many accepted jobs may go on at once.
            campaign_id: The id or name of the campaign to import into; by default none.
            resume_from: Where an import of the same items was interrupted: its `resume_from`, or
                how many items to pass over.

        Returns:
            The import: await it for its `ImportReport`. Its `report` can be read at any time, also
            after a cancellation.

        Raises:
            InvalidArgumentError: An argument is out of range.
            ImportInterruptedError: When awaited: something went wrong, perhaps in the items'
                own iterator. It says which items were accepted, and where to go on.
        """
        return ImportStream(
            ImportApi(self._caller, campaign_id, self._patient(options)),
            items,
            on_progress=on_progress,
            max_in_flight=max_in_flight,
            resume_from=resume_from,
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
            file: A path, the bytes, or a file opened for reading bytes. It is checked first, and
                read while it is uploaded; one over 10 MB goes up in several parts, cut between
                rows, each with the header.
            webhooks_enable: Whether the project's webhooks hear of every voucher in the file.

        Returns:
            A handle on the background job; a `CombinedJob` where there are several parts.

        Raises:
            InvalidArgumentError: The file is empty, was opened as text, has no column Code, or a
                row is not as wide as the header; the message says the line. Nothing was sent.
            OSError: The file cannot be read.
            AmbiguousOutcomeError: The import may or may not have been accepted.
            BulkInterruptedError: A part failed after others were accepted.
        """
        return await self._import_csv(None, file, options, webhooks_enable=webhooks_enable)

    async def csv_to_campaign(
        self, campaign_id: str, file: CsvFile, **options: Unpack[CallOptions]
    ) -> AsyncJob:
        """Import vouchers into a campaign from CSV (`POST /v1/campaigns/{campaignId}/importCSV`).

        Args:
            campaign_id: The campaign's id or name.
            file: As for `csv`.

        Returns:
            A handle on the background job; a `CombinedJob` where there are several parts.

        Raises:
            InvalidArgumentError: As for `csv`.
            NotFoundError: There is no such campaign.
            AmbiguousOutcomeError: The import may or may not have been accepted.
            BulkInterruptedError: A part failed after others were accepted.
        """
        # None is refused here; further down it stands for an import into no campaign.
        IMPORT_CSV_TO_CAMPAIGN(campaign_id=campaign_id)
        return await self._import_csv(campaign_id, file, options)

    async def _import(
        self, target: BoundRoute, items: Iterable[Any], options: CallOptions
    ) -> AsyncJob:
        body = _arguments.items_body(items)
        id = await self._accepted(target, options, body=body)  # noqa: A001
        return AsyncJob(id, AsyncActions(self._caller), self._caller.settings.clock)

    async def _import_csv(
        self,
        campaign_id: str | None,
        file: CsvFile,
        options: CallOptions,
        *,
        webhooks_enable: bool | None = None,
    ) -> AsyncJob:
        check_options(options)
        api, series = ImportApi(self._caller, campaign_id, options), RequestSeries()
        with ExitStack() as stack:
            checked = await to_thread.run_sync(stack.enter_context, checked_csv(file))
            with series.telling():
                for part in checked.parts:
                    rows = CsvPartFile(checked.file, part)
                    send = partial(api.upload, rows, checked.name, webhooks_enable=webhooks_enable)
                    await series.send(send, part.rows)
        return job_of(series.accepted, AsyncActions(self._caller), self._caller.settings.clock)


class RawImports(RawResource[Imports]):
    """`client.imports.with_raw_response`."""

    vouchers = raw(Imports.vouchers)
    vouchers_to_campaign = raw(Imports.vouchers_to_campaign)
    csv = raw(Imports.csv)
    csv_to_campaign = raw(Imports.csv_to_campaign)
