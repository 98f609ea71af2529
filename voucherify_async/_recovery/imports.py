"""What became of an import whose answer was lost: found out by reading, never by sending.

A job is taken for the lost one only by proof. Other processes import too, at the same moment, as
many items, even some of the same codes. So a job has to be of the same kind and made since the
request began, its counts have to add up to the items that were sent, whatever it refused has to be
of the codes that were sent, and enough of those that it did not refuse have to exist and to have
been written since it began. Where two jobs pass and tell different things, neither is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from attrs import evolve, field, frozen

from .._calls.call import Call, CallOptions
from .._calls.caller import Caller
from .._conversion.converter import structure_at
from .._protocol.expected_answers import folded
from .._protocol.route import Route
from .._protocol.routes import (
    GET_ASYNC_ACTION,
    GET_VOUCHER,
    IMPORT_CSV,
    IMPORT_CSV_TO_CAMPAIGN,
    IMPORT_TO_CAMPAIGN,
    IMPORT_VOUCHERS,
    LIST_ASYNC_ACTIONS,
)
from ..errors import (
    APIError,
    PaginationError,
    ResponseValidationError,
    TransportError,
)
from ..models.async_actions import AsyncAction, AsyncActionFailure, AsyncActionResult
from ..models.vouchers import Voucher
from .evidence import Look

ABSENCE_SECONDS: Final = 180.0
"""How long Voucherify's load balancer may hold a request back: only then is absence a proof."""
PATIENCE_SECONDS: Final = 600.0
"""How long jobs that may be the lost one are waited for."""
TOLERANCE: Final = timedelta(seconds=5)
"""How far two clocks of Voucherify may be apart."""
SAMPLE: Final = 20
"""How many of the codes are read, spread over all of them."""
MAX_ACTIONS: Final = 5_000
"""How many jobs are listed at the most; the API has no filter for them."""
_PAGE: Final = 100
_JOB_TYPES: Final[dict[Route, str]] = {
    IMPORT_VOUCHERS: "VOUCHERS.IMPORT",
    IMPORT_TO_CAMPAIGN: "CAMPAIGN.VOUCHERS_IMPORT",
    IMPORT_CSV: "VOUCHERS.IMPORT_CSV",
    IMPORT_CSV_TO_CAMPAIGN: "CAMPAIGN.VOUCHERS_IMPORT_CSV",
}


@frozen
class SentImport:
    """An import request of which it is not known whether Voucherify accepted it."""

    route: Route
    codes: Sequence[str] = field(repr=False)
    """The code of each item, in the order in which they were sent."""
    sent_at: datetime
    """When it was sent, at the earliest, by Voucherify's clock."""

    def may_be(self, action: AsyncAction) -> bool:
        """Whether a job may be this request's, as far as a listing tells."""
        is_since = action.created_at is None or action.created_at >= self.sent_at - TOLERANCE
        is_kind = action.type in {_JOB_TYPES[self.route], None}
        return bool(action.id) and is_since and is_kind


@frozen
class Claim:
    """What a job did, if it is the request's."""

    imported: Sequence[str]
    """The codes of the request that it did not refuse."""
    since: datetime
    """When it wrote them, at the earliest."""


@frozen
class Finding:
    """What one look, or several, told of a request."""

    status: Literal["done", "not_done", "unknown"]
    job_id: str | None = None
    """The job, where it is done: where the request was accepted."""
    note: str = ""
    """Why it is unknown."""
    is_waiting: bool = False
    """Whether jobs are under way that may be it."""


class ImportFinder:
    """Looks for the job of one request.

    Args:
        caller: What sends the calls.
        sent: What is looked for.
        options: The options of the calls.
    """

    def __init__(self, caller: Caller, sent: SentImport, options: CallOptions) -> None:
        self._caller = caller
        self._sent = sent
        self._look = Look(caller, options)
        self._others: set[str] = set()

    async def settle(self) -> Finding:
        """Look until it is settled, or it is of no use to go on looking.

        A request may still be on its way when this is called, and not later.
        """
        clock = self._caller.settings.clock
        began = clock.monotonic()
        for pause in _pauses():
            await clock.sleep(pause)
            elapsed = clock.monotonic() - began
            is_late = elapsed >= ABSENCE_SECONDS
            try:
                finding = await self.look(absence_counts=is_late)
            except (TransportError, APIError, ResponseValidationError, PaginationError) as error:
                # Of the reading's error only its class: its text may name a code.
                finding = Finding("unknown", note=f"Looking for it failed: {type(error).__name__}")
            limit = PATIENCE_SECONDS if finding.is_waiting else ABSENCE_SECONDS
            if finding.status != "unknown" or elapsed >= limit:
                return finding
        raise AssertionError("_pauses() is endless")

    async def look(self, *, absence_counts: bool) -> Finding:
        """Look once.

        Args:
            absence_counts: Whether the request was sent so long ago that it would be there.
        """
        candidates = await self._candidates()
        if candidates is None:
            return Finding("unknown", note="Too many jobs were made since to look through")
        judged = {job: await self._judge(job) for job in candidates}
        if "running" in judged.values():
            return Finding("unknown", note="A job that may be it has not ended", is_waiting=True)
        claims = {job: claim for job, claim in judged.items() if isinstance(claim, Claim)}
        if claims:
            job_id = await self._undisputed(claims)
            if job_id is None:
                return Finding("unknown", note=f"It may be any of the jobs {', '.join(claims)}")
            return Finding("done", job_id)
        if not absence_counts:
            return Finding("unknown", note="No job is surely it; one may still come")
        return await self._absence(is_told="untold" not in judged.values())

    async def _absence(self, *, is_told: bool) -> Finding:
        """What it says that no job is the request's by now; `is_told`: they all have counts."""
        since = self._sent.sent_at - TOLERANCE
        for code in () if is_told else _spread(self._sent.codes):
            if await self._was_written(code, since):
                note = "A job does not tell what it did, and codes were written since"
                return Finding("unknown", note=note)
        return Finding("not_done")

    async def _judge(self, job_id: str) -> Claim | Literal["other", "running", "untold"]:
        if job_id in self._others:
            return "other"
        action = structure_at(AsyncAction, await self._look.read(GET_ASYNC_ACTION(id=job_id)))
        if not action.is_finished:
            return "running"
        if action.result is None or action.result.done_count is None:
            return "untold"
        imported = codes_not_refused(action.result, self._sent.codes)
        if imported is None:
            self._others.add(job_id)
            return "other"
        claim = Claim(imported, (action.created_at or self._sent.sent_at) - TOLERANCE)
        # Judged anew at each look: what was written just now may not be readable yet.
        return claim if await self._were_written(claim.imported, claim.since) else "other"

    async def _undisputed(self, claims: Mapping[str, Claim]) -> str | None:
        """The job among those that may be it, or one of several that tell the same."""
        common = set.intersection(*(set(claim.imported) for claim in claims.values()))
        left: dict[str, Claim] = {}
        for job_id, claim in claims.items():
            disputed = [code for code in claim.imported if code not in common]
            if await self._were_written(disputed, claim.since):
                left[job_id] = claim
        is_same = len({tuple(claim.imported) for claim in left.values()}) == 1
        return next(iter(left)) if is_same else None

    async def _were_written(self, codes: Sequence[str], since: datetime) -> bool:
        for code in _spread(codes):
            if not await self._was_written(code, since):
                return False
        return True

    async def _was_written(self, code: str, since: datetime) -> bool:
        """Whether there is a voucher that an import wrote since an instant."""
        body = await self._look.read_or_none(GET_VOUCHER(code=code))
        if body is None:
            return False
        voucher = structure_at(Voucher, body)
        # The CSV import updates codes that exist; the JSON import refuses them.
        updates = self._sent.route in {IMPORT_CSV, IMPORT_CSV_TO_CAMPAIGN}
        written = [voucher.created_at, voucher.updated_at if updates else None]
        return any(instant is not None and instant >= since for instant in written)

    async def _candidates(self) -> list[str] | None:
        """Ids of the jobs that may be it, oldest first; None where there are too many to see."""
        found: list[str] = []
        listing = LIST_ASYNC_ACTIONS.listing
        assert listing is not None  # noqa: S101
        scheme, seen = listing.scheme(), 0
        query: Mapping[str, Any] = {"limit": _PAGE}
        while seen < MAX_ACTIONS:
            envelope = await self._look.read(LIST_ASYNC_ACTIONS(), query)
            turn = scheme.turn(query, envelope)
            actions = [structure_at(AsyncAction, item) for _, item in turn.items]
            seen += len(envelope.items)
            found += [action.id or "" for action in actions if self._sent.may_be(action)]
            if any(not self._is_since(action) for action in actions) or turn.step is None:
                return found[::-1]
            if isinstance(turn.step, Exception):
                raise turn.step
            query = turn.step
        return None

    def _is_since(self, action: AsyncAction) -> bool:
        return action.created_at is None or action.created_at >= self._sent.sent_at - TOLERANCE


async def server_time(caller: Caller, options: CallOptions) -> datetime:
    """What Voucherify's clock shows, found out by one read."""
    call = Call.of(LIST_ASYNC_ACTIONS(), options, params={"limit": 1})
    await caller.fetch(call, lambda envelope: envelope)
    return caller.connections.server_clock.at(caller.settings.clock.time())


def codes_not_refused(result: AsyncActionResult, codes: Sequence[str]) -> list[str] | None:
    """The codes that a job imported if it is the one in which they were sent.

    Returns:
        Those codes, or None where the counts or the refused codes say that it is another job.
    """
    failed = name_rows(result.failed or (), codes)
    if (result.done_count or 0) + (result.failed_count or len(failed)) != len(codes):
        return None
    refused = {folded(each.code) for each in failed if each.code is not None}
    if not refused <= {folded(code) for code in codes}:
        return None
    return [code for code in codes if folded(code) not in refused]


def name_rows(
    failed: Sequence[AsyncActionFailure], codes: Sequence[str]
) -> list[AsyncActionFailure]:
    """Failures with their codes, where they tell only the row of a CSV file, from 1."""
    return [
        evolve(each, code=codes[each.row - 1])
        if each.code is None and each.row is not None and 0 < each.row <= len(codes)
        else each
        for each in failed
    ]


def _spread(codes: Sequence[str]) -> Sequence[str]:
    """At most `SAMPLE` of the codes: the first, the last, and those at even steps between."""
    if len(codes) <= SAMPLE:
        return codes
    return [codes[place * (len(codes) - 1) // (SAMPLE - 1)] for place in range(SAMPLE)]


def _pauses() -> Iterator[float]:
    """Seconds before each look: it may have been accepted just now, or not be listed yet."""
    seconds = 0.5
    while True:
        yield seconds
        seconds = min(15.0, seconds * 2)
