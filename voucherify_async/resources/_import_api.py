"""What an import stream needs of the API."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from functools import partial

import orjson

from .._bulk.batches import Batch
from .._calls.caller import Caller, CallOptions
from .._files.csv_upload import CsvPartFile, csv_codes
from .._protocol.route import BoundRoute
from .._protocol.routes import (
    IMPORT_CSV,
    IMPORT_CSV_TO_CAMPAIGN,
    IMPORT_TO_CAMPAIGN,
    IMPORT_VOUCHERS,
)
from .._recovery.imports import Finding, ImportFinder, SentImport, server_time
from ..errors import AmbiguousOutcomeError
from ..jobs import wait_until_finished
from ..models.async_actions import AsyncAction
from . import _arguments
from ._resource import Resource
from .async_actions import AsyncActions


class ImportApi(Resource):
    """The calls of one import, all with the options that it was given."""

    def __init__(self, caller: Caller, campaign_id: str | None, options: CallOptions) -> None:
        super().__init__(caller)
        if campaign_id is None:
            self._json, self._csv = IMPORT_VOUCHERS(), IMPORT_CSV()
        else:
            self._json = IMPORT_TO_CAMPAIGN(campaign_id=campaign_id)
            self._csv = IMPORT_CSV_TO_CAMPAIGN(campaign_id=campaign_id)
        self._options = options
        self._actions = AsyncActions(caller)
        self._clock = caller.settings.clock
        self._began_at: datetime | None = None
        self._began = 0.0

    async def begin(self) -> None:
        """Find out what Voucherify's clock shows."""
        self._began_at = await server_time(self._caller, self._options)
        self._began = self._clock.monotonic()

    def now(self) -> datetime:
        """What Voucherify's clock shows now; whatever this machine's shows."""
        assert self._began_at is not None  # noqa: S101
        now = self._began_at + timedelta(seconds=self._clock.monotonic() - self._began)
        # What is kept in a file has milliseconds.
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    async def post(self, batch: Batch) -> str:
        """Send a batch; returns the id of its job."""
        if not batch.is_csv:
            return await self._accepted(self._json, self._options, body=batch.content)
        return await self.upload(io.BytesIO(batch.content), "vouchers.csv")

    async def upload(
        self, file: CsvPartFile | io.BytesIO, name: str, *, webhooks_enable: bool | None = None
    ) -> str:
        """Send a CSV file; returns the id of its job."""
        form = _arguments.csv_form(file, name, webhooks_enable=webhooks_enable)
        try:
            return await self._accepted(self._csv, self._options, files=form)
        except AmbiguousOutcomeError as error:
            # Its codes are what the job can be found by, in whatever process.
            error.sent = orjson.dumps([{"code": code} for code in csv_codes(file)])
            raise

    async def settle(self, batch: Batch, sent_at: datetime) -> Finding:
        """What became of a batch that was sent with unknown outcome."""
        target: BoundRoute = self._csv if batch.is_csv else self._json
        sent = SentImport(target.route, batch.codes, sent_at)
        return await ImportFinder(self._caller, sent, self._options).settle()

    async def follow(self, job_id: str) -> AsyncAction:
        """An async action at its end."""
        look = partial(self._actions.get, job_id, **self._options)
        return await wait_until_finished(
            look, id=job_id, clock=self._clock, timeout=None, on_progress=None
        )
