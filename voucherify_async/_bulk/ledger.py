"""The book that an import keeps: which items were read, sent, accepted, done and refused."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from .._recovery.imports import name_rows
from ..errors import InvalidArgumentError
from ..models.async_actions import AsyncAction
from .batches import Batch
from .encoding import EncodedItem, code_of, encode_item
from .reports import ImportFailure, ImportReport, OpenImport, ResumePoint


class Ledger:
    """What is known of every item. Its memory grows with the codes, and with nothing else.

    Items are sent in the order of the input, one request after another. So three places tell it
    all: up to `accepted_to` they were accepted (or reported as unfit), from there to `unknown_to`
    they are in a request that may or may not have been accepted, and behind it nothing was sent.
    """

    def __init__(self, resumed: ResumePoint) -> None:
        self.read = 0
        self.accepted_to = self.first = resumed.index
        self.unknown_to: int | None = resumed.unknown_until
        self.sent_at: datetime | None = resumed.sent_at
        self.open_jobs: dict[str, OpenImport] = {job.id: job for job in resumed.jobs}
        self.job_ids: list[str] = []
        self.is_over = False
        self._done_count = 0
        self._failures: list[ImportFailure] = []
        self._duplicates: list[ImportFailure] = []
        # In the order of the input, which is that of insertion too.
        self._places: dict[str, int] = {}

    def admit(self, item: Any) -> tuple[str, EncodedItem] | None:
        """Read one item: its code and its bytes, or None where it is not to be sent."""
        index, self.read = self.read, self.read + 1
        is_behind = index < self.first
        code: str | None = None
        try:
            code = code_of(item)
            # Items that are passed over too: what is a duplicate is the same in every attempt.
            encoded = encode_item(item)
        except InvalidArgumentError as error:
            if not is_behind:
                self._failures.append(ImportFailure(index, code, str(error)))
            return None
        earlier = self._places.setdefault(code, index)
        if is_behind:
            return None
        if earlier != index:
            reason = f"has the same code as item {earlier}"
            self._duplicates.append(ImportFailure(index, code, reason))
            return None
        return code, encoded

    def pass_over(self, stop: int) -> None:
        """Note that the items before `stop` are settled: none of them was fit to be sent."""
        self.accepted_to = max(stop, self.accepted_to)
        self.unknown_to = self.sent_at = None

    def begin(self, batch: Batch, sent_at: datetime) -> None:
        """Note that a batch is about to be sent, at that instant by Voucherify's clock."""
        self.unknown_to, self.sent_at = batch.stop, sent_at

    def not_accepted(self) -> None:
        """Note that the batch that was begun was surely not accepted."""
        self.unknown_to = self.sent_at = None

    def accept(self, job_id: str, batch: Batch) -> OpenImport:
        """Note that Voucherify accepted a batch."""
        job = OpenImport(id=job_id, start=batch.start, stop=batch.stop)
        self.accepted_to, self.unknown_to, self.sent_at = batch.stop, None, None
        self.open_jobs[job_id] = job
        self.job_ids.append(job_id)
        return job

    def close(self, job: OpenImport, action: AsyncAction) -> None:
        """Note how a job ended."""
        refused = self._refused(job, action)
        self._failures += refused
        counted = action.result.done_count if action.result else None
        if counted is None and action.status != "FAILED":
            counted = len(self._codes_of(job)) - len(refused)
        self._done_count += counted or 0
        del self.open_jobs[job.id]

    def _refused(self, job: OpenImport, action: AsyncAction) -> list[ImportFailure]:
        result = action.result
        failed = (result.failed if result else None) or ()
        if action.status == "FAILED" and not failed and not (result and result.done_count):
            message = (result.message if result else None) or "no reason was given"
            reason = f"the whole job failed: {message}"
            return [ImportFailure(self._places[c], c, reason) for c in self._codes_of(job)]
        if any(each.code is None for each in failed):
            # Failures of a CSV import may name the row alone, which is the item's in its request.
            failed = name_rows(failed, self._codes_of(job))
        return [
            ImportFailure(
                None if each.code is None else self._places.get(each.code),
                each.code,
                each.reason or "no reason was given",
            )
            for each in failed
        ]

    def _codes_of(self, job: OpenImport) -> list[str]:
        return [code for code, place in self._places.items() if job.start <= place < job.stop]

    def report(self) -> ImportReport:
        """All of it, as it stands."""
        unknown_to = self.accepted_to if self.unknown_to is None else self.unknown_to
        return ImportReport(
            read=self.read,
            accepted=range(self.accepted_to),
            unknown=range(self.accepted_to, unknown_to),
            not_accepted=range(unknown_to, max(unknown_to, self.read)),
            done_count=self._done_count,
            failures=tuple(sorted(self._failures, key=_by_place)),
            duplicates=tuple(self._duplicates),
            job_ids=tuple(self.job_ids),
            open_jobs=tuple(self.open_jobs.values()),
            resume_from=None if self.is_over else self._resume_point(),
        )

    def _resume_point(self) -> ResumePoint:
        return ResumePoint(
            index=self.accepted_to,
            unknown_until=self.unknown_to,
            sent_at=self.sent_at,
            jobs=tuple(self.open_jobs.values()),
        )


def _by_place(failure: ImportFailure) -> int:
    return -1 if failure.index is None else failure.index
