"""The book that an import keeps: which items were read, sent, accepted, done and refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import field, frozen

from .._files.csv_columns import item_of_row
from .._protocol.bodies import MAX_BODY_BYTES, encode_json
from ..errors import InvalidArgumentError
from ..models.async_actions import AsyncAction
from .reports import ImportFailure, ImportReport, OpenImport, ResumePoint


@frozen
class Batch:
    """One request's worth of items: those from `start` to before `stop`."""

    start: int
    stop: int
    codes: Sequence[str] = field(repr=False)
    content: bytes = field(repr=False)


class Ledger:
    """What is known of every item. Its memory grows with the codes, and with nothing else."""

    def __init__(self, resumed: ResumePoint) -> None:
        self.read = 0
        self.accepted_to = self.first = resumed.index
        self.unknown_to: int | None = resumed.unknown_until
        self.since: datetime | None = resumed.since
        self.known_jobs: list[str] = list(resumed.known_jobs)
        self.open_jobs: dict[str, OpenImport] = {job.id: job for job in resumed.jobs}
        self.is_over = False
        self._job_ids: list[str] = []
        self._done_count = 0
        self._failures: list[ImportFailure] = []
        self._duplicates: list[ImportFailure] = []
        # In the order of the input, which is that of insertion too.
        self._places: dict[str, int] = {}

    def admit(self, item: Any) -> tuple[str, bytes] | None:
        """Read one item: its code and its JSON text, or None where it is not to be sent."""
        index, self.read = self.read, self.read + 1
        is_behind = index < self.first
        code: str | None = None
        try:
            item = item_of_row(item)
            code = _code_of(item)
            encoded = b"" if is_behind else _encoded(item)
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

    @property
    def reported(self) -> int:
        """How many items are reported as unfit to be sent."""
        return len(self._duplicates) + len(self._failures)

    def place(self, code: str | None) -> int | None:
        """Where a code stands in the input."""
        return None if code is None else self._places.get(code)

    def accept(self, job_id: str, batch: Batch) -> OpenImport:
        """Note that Voucherify accepted a batch."""
        job = OpenImport(id=job_id, start=batch.start, stop=batch.stop)
        self.accepted_to, self.unknown_to = batch.stop, None
        self.open_jobs[job_id] = job
        self._job_ids.append(job_id)
        self.known_jobs.append(job_id)
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
        return [
            ImportFailure(self.place(each.code), each.code, each.reason or "no reason was given")
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
            job_ids=tuple(self._job_ids),
            open_jobs=tuple(self.open_jobs.values()),
            resume_from=None if self.is_over else self._resume_point(),
        )

    def _resume_point(self) -> ResumePoint:
        return ResumePoint(
            index=self.accepted_to,
            unknown_until=self.unknown_to,
            jobs=tuple(self.open_jobs.values()),
            known_jobs=tuple(self.known_jobs),
            since=self.since,
        )


def _by_place(failure: ImportFailure) -> int:
    return -1 if failure.index is None else failure.index


def _code_of(item: Any) -> str:
    code = item.get("code") if isinstance(item, Mapping) else getattr(item, "code", None)
    if not isinstance(code, str) or not code.strip():
        raise InvalidArgumentError("item: has no code")
    return code


def _encoded(item: Any) -> bytes:
    encoded = encode_json(item, name="item")
    if not encoded.startswith(b"{"):
        raise InvalidArgumentError(f"item: expected a model or a mapping, got {item!r}")
    if len(encoded) + 2 > MAX_BODY_BYTES:
        raise InvalidArgumentError(f"item: {len(encoded):,} bytes are more than a request can hold")
    return encoded
