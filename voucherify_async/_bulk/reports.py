"""What `imports.stream` tells: how far an import came, and where to go on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import frozen

from ..models._base import Model


@frozen
class ImportFailure:
    """One item that was not imported."""

    index: int | None
    """Its place in the input, from 0; None where Voucherify named a code that was not in it."""
    code: str | None
    """Its code, or None where it has none."""
    reason: str
    """Why it was not imported."""


@frozen(kw_only=True, repr=False)
class OpenImport(Model):
    """A job that was accepted and had not been seen to its end."""

    id: str
    """Id of the async action."""
    start: int
    """Place of its first item in the input."""
    stop: int
    """Place behind its last item."""


@frozen(kw_only=True, repr=False)
class ResumePoint(Model):
    """Where an interrupted import goes on: hand it to `imports.stream(items, resume_from=...)`.

    `to_dict` and `from_dict` turn it into JSON types and back, to keep it in a file. Where items
    are unknown, the import looks for their job first, and sends them again only if there is no
    trace of it three minutes after it was resumed.
    """

    index: int
    """Every item before this one was accepted or reported."""
    unknown_until: int | None = None
    """Items from `index` to before this one may or may not have been accepted: that is found out
    before they are sent again."""
    sent_at: datetime | None = None
    """When the unknown items were sent, at the earliest, by Voucherify's clock."""
    jobs: Sequence[OpenImport] = ()
    """Accepted jobs whose ends are still to be reported."""


@frozen(kw_only=True)
class ImportReport:
    """How far an import came. Ranges are of places in the input, from 0.

    Items are accepted in the order of the input, so that three ranges tell it all. Among them, what
    is in `failures` and `duplicates` was not imported.
    """

    read: int
    """How many items were taken from the input."""
    accepted: range
    """Items in requests that Voucherify accepted."""
    unknown: range
    """Items in a request of which it is not known whether Voucherify accepted it."""
    not_accepted: range
    """Items that were read and surely not accepted. Nothing behind them was sent either."""
    done_count: int
    """How many vouchers were imported, of those jobs that ended."""
    failures: Sequence[ImportFailure]
    """Items that Voucherify refused, and those that were not sent since it would have."""
    duplicates: Sequence[ImportFailure]
    """Items whose code an earlier item has; they are not sent."""
    job_ids: Sequence[str]
    """Ids of the async actions, in the order of the items."""
    open_jobs: Sequence[OpenImport]
    """Accepted jobs that have not ended yet."""
    resume_from: ResumePoint | None
    """Where to go on, or None where all is done."""

    @property
    def failed_count(self) -> int:
        """How many items are in `failures`."""
        return len(self.failures)

    @property
    def is_complete(self) -> bool:
        """Whether every item was accepted or reported, and every job has ended."""
        return self.resume_from is None


__all__ = ["ImportFailure", "ImportReport", "OpenImport", "ResumePoint"]
