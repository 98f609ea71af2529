"""`imports.stream`: an import of any size, of which each item's fate is known."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, Awaitable, Callable, Generator, Iterable
from contextlib import aclosing
from datetime import datetime
from typing import Any, Final, Protocol

import anyio
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

from .._checks import check_count, is_integer
from .._concurrency.items import Items
from .._recovery.imports import Finding
from ..errors import (
    AmbiguousOutcomeError,
    BackgroundCancelledError,
    ImportInterruptedError,
    InvalidArgumentError,
    VoucherifyError,
)
from ..models.async_actions import AsyncAction
from .batches import Batch
from .encoding import EncodedItem
from .ledger import Ledger
from .reports import ImportReport, OpenImport, ResumePoint

OnProgress = Callable[[ImportReport], Awaitable[None] | None]
"""Called with the report as it stands: a function, or an async one that is awaited."""

_MAX_SENDS: Final = 3


class Api(Protocol):
    """What an import needs of the API."""

    async def begin(self) -> None:
        """Make ready; called once, before anything else."""
        ...

    def now(self) -> datetime:
        """What Voucherify's clock shows."""
        ...

    async def post(self, batch: Batch) -> str:
        """Send a batch; returns the id of its job."""
        ...

    async def settle(self, batch: Batch, sent_at: datetime) -> Finding:
        """What became of a batch that was sent with unknown outcome."""
        ...

    async def follow(self, job_id: str) -> AsyncAction:
        """An async action at its end."""
        ...


class ImportStream:
    """An import that has not begun: await it for its report.

    ```python
    stream = client.imports.stream(items)
    try:
        report = await stream
    finally:
        print(stream.report.resume_from)    # None when all is done; also after a cancellation
    ```
    """

    def __init__(
        self,
        api: Api,
        items: Iterable[Any] | AsyncIterable[Any],
        *,
        on_progress: OnProgress | None,
        max_in_flight: int,
        resume_from: ResumePoint | int,
    ) -> None:
        check_count("max_in_flight", max_in_flight)
        self._api = api
        self._items: Items[Any] = Items(items)
        self._on_progress = on_progress
        self._max_in_flight = max_in_flight
        self._ledger = Ledger(_checked(resume_from))
        self._has_begun = False
        self._failure: Exception | None = None
        self._is_sending = False
        # The batch that is being collected: its codes, what its items are, and its body.
        self._codes: list[str] = []
        self._header: bytes | None = None
        self._body = EncodedItem(b"").body()

    @property
    def report(self) -> ImportReport:
        """How far it has come, at any time."""
        return self._ledger.report()

    def __await__(self) -> Generator[Any, Any, ImportReport]:
        return self._run().__await__()

    async def _run(self) -> ImportReport:
        if self._has_begun:
            raise RuntimeError("An import runs once; make another one with resume_from=")
        self._has_begun = True
        self._slots = anyio.Semaphore(self._max_in_flight)
        self._turn = anyio.Lock()
        async with anyio.create_task_group() as tasks:
            self._tasks: TaskGroup = tasks
            try:
                await self._import()
            except Exception as error:  # noqa: BLE001 - told below, with the report
                self._fail(error)
        if self._failure is None and self._ledger.open_jobs:
            # Cancelled by somebody else before its first step, a task has no chance to say so.
            jobs = ", ".join(self._ledger.open_jobs)
            self._failure = BackgroundCancelledError(f"What followed {jobs} was cancelled")
        failure = self._failure
        if failure is not None:
            raise ImportInterruptedError(self.report, str(failure)) from failure
        self._ledger.is_over = True
        return self.report

    def _fail(self, error: Exception) -> None:
        self._failure = self._failure or error
        # A request that is under way is let through: broken off, its outcome would be unknown.
        if not self._is_sending:
            self._tasks.cancel_scope.cancel()

    async def _import(self) -> None:
        ledger = self._ledger
        earlier = list(ledger.open_jobs.values())
        await self._api.begin()
        async with aclosing(self._items):
            async for item in self._items:
                if ledger.read == ledger.first:
                    # Only now are the places of their codes known.
                    await self._follow_all(earlier)
                if ledger.read == ledger.unknown_to:
                    await self._send(ledger.read)
                admitted = ledger.admit(item)
                if admitted is not None:
                    await self._collect(*admitted)
        expected = max(ledger.first, ledger.unknown_to or 0)
        if ledger.read < expected:
            raise InvalidArgumentError(
                f"resume_from: goes on after {expected:,} items, but there are {ledger.read:,}; "
                "give the same items as before"
            )
        await self._follow_all(earlier)
        await self._send(ledger.read)

    async def _collect(self, code: str, item: EncodedItem) -> None:
        if self._codes and (item.header != self._header or not self._body.fits(item.content)):
            # The item itself, which was read last, comes with the next request.
            await self._send(self._ledger.read - 1)
        if not self._codes:
            self._header, self._body = item.header, item.body()
        self._body.add(item.content)
        self._codes.append(code)

    async def _follow_all(self, jobs: list[OpenImport]) -> None:
        while jobs:
            await self._slots.acquire()
            self._tasks.start_soon(self._follow, jobs.pop(0))

    async def _send(self, stop: int) -> None:
        """Import what was collected: the items up to `stop`."""
        ledger = self._ledger
        codes, self._codes = self._codes, []
        if not codes:
            ledger.pass_over(stop)
            return
        is_csv = self._header is not None
        batch = Batch(ledger.accepted_to, stop, codes, self._body.take(), is_csv)
        await self._slots.acquire()
        if self._failure is None:
            job = ledger.accept(await self._accepted(batch), batch)
            self._tasks.start_soon(self._follow, job)
        if self._failure is not None:
            self._tasks.cancel_scope.cancel()
            await checkpoint()
        await self._tell()

    async def _accepted(self, batch: Batch) -> str:
        """The id of the job of a batch, which is sent unless it was before.

        It is sent again only after a proof that it was not accepted.
        """
        ledger = self._ledger
        error = AmbiguousOutcomeError(
            f"Items {batch.start:,} to {batch.stop - 1:,} were sent before the import was resumed, "
            "and may or may not have been accepted"
        )
        for _ in range(_MAX_SENDS):
            if ledger.sent_at is None:
                try:
                    return await self._post(batch)
                except AmbiguousOutcomeError as unknown:
                    error = unknown
            assert ledger.sent_at is not None  # noqa: S101
            finding = await self._api.settle(batch, ledger.sent_at)
            if finding.job_id is not None:
                return finding.job_id
            if finding.status != "not_done":
                error.add_note(finding.note)
                raise error
            ledger.not_accepted()
        raise error

    async def _post(self, batch: Batch) -> str:
        """Send a batch, once it is told that its outcome is about to be unknown."""
        ledger = self._ledger
        ledger.begin(batch, self._api.now())
        try:
            await self._tell()
        except BaseException:
            ledger.not_accepted()
            raise
        self._is_sending = True
        try:
            return await self._api.post(batch)
        except AmbiguousOutcomeError:
            raise
        except VoucherifyError:
            # Refused, or never sent.
            ledger.not_accepted()
            raise
        finally:
            self._is_sending = False

    async def _follow(self, job: OpenImport) -> None:
        try:
            action = await self._api.follow(job.id)
            self._ledger.close(job, action)
            self._slots.release()
            await self._tell()
        except Exception as error:  # noqa: BLE001 - told when the tasks have ended
            self._fail(error)
        except BaseException:
            # Where it is this task alone, by a program that cancels all tasks as it shuts down.
            self._fail(BackgroundCancelledError(f"The task that followed {job.id} was cancelled"))
            raise

    async def _tell(self) -> None:
        if self._on_progress is None:
            return
        async with self._turn:
            outcome = self._on_progress(self.report)
            if inspect.isawaitable(outcome):
                await outcome


def _checked(resume_from: ResumePoint | int) -> ResumePoint:
    point = resume_from
    if is_integer(point):
        point = ResumePoint(index=point)
    if not isinstance(point, ResumePoint) or point.index < 0:
        raise InvalidArgumentError(
            "resume_from: expected the ResumePoint of an interrupted import, or how many items to "
            f"pass over, got {resume_from!r}"
        )
    if not all(job.id and 0 <= job.start < job.stop <= point.index for job in point.jobs):
        raise InvalidArgumentError("resume_from: names jobs that cannot be of items before index")
    if (point.unknown_until is None) != (point.sent_at is None):
        raise InvalidArgumentError("resume_from: unknown_until and sent_at are given together")
    if point.unknown_until is not None and point.unknown_until <= point.index:
        raise InvalidArgumentError("resume_from: unknown_until is not behind index")
    return point
