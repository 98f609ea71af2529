"""`imports.stream`: an import of any size, of which each item's fate is known."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, Awaitable, Callable, Generator, Iterable
from contextlib import aclosing
from typing import Any, Final

import anyio
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

from .._checks import check_count
from .._concurrency.items import Items
from .._recovery.imports import Api, find_job
from ..errors import (
    AmbiguousOutcomeError,
    ImportInterruptedError,
    InvalidArgumentError,
    ProtocolError,
    ReadError,
    VoucherifyError,
    WriteError,
)
from .batches import Body
from .ledger import Batch, Ledger
from .reports import ImportReport, OpenImport, ResumePoint

OnProgress = Callable[[ImportReport], Awaitable[None] | None]
"""Called with the report as it stands: a function, or an async one that is awaited."""

_MAX_SENDS: Final = 3


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
        self._told = 0
        self._failure: Exception | None = None
        self._is_sending = False
        # Of the batch that is being collected.
        self._body = Body()
        self._codes: list[str] = []

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
        if ledger.since is None and ledger.unknown_to is None:
            newest = await self._api.newest_action()
            if newest is not None:
                ledger.since = newest.created_at
                ledger.known_jobs.append(newest.id or "")
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
        if ledger.read < ledger.first:
            raise InvalidArgumentError(
                f"resume_from: is {ledger.first:,}, but there are {ledger.read:,} items"
            )
        if ledger.read == ledger.first:
            await self._follow_all(earlier)
        await self._send(ledger.read)

    async def _collect(self, code: str, encoded: bytes) -> None:
        if not self._body.fits(encoded):
            # The item itself, which was read last, comes with the next request.
            await self._send(self._ledger.read - 1)
        self._body.add(encoded)
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
            # Every item was reported as unfit, and with that is settled.
            ledger.accepted_to, ledger.unknown_to = max(stop, ledger.accepted_to), None
            return
        batch = Batch(ledger.accepted_to, stop, codes, self._body.take())
        if ledger.reported > self._told:
            self._told = ledger.reported
            await self._tell()
        await self._slots.acquire()
        if self._failure is None:
            job = ledger.accept(await self._accepted(batch), batch)
            self._tasks.start_soon(self._follow, job)
        if self._failure is not None:
            self._tasks.cancel_scope.cancel()
            await checkpoint()
        await self._tell()

    async def _accepted(self, batch: Batch) -> str:
        """The id of the job of a batch, which is sent unless it was before."""
        ledger, api = self._ledger, self._api
        if ledger.unknown_to is not None:
            found = await find_job(api, batch, ledger.since, ledger.known_jobs)
            if found is not None:
                return found
        for sends_left in reversed(range(_MAX_SENDS)):
            try:
                return await self._post(batch)
            except AmbiguousOutcomeError as error:
                found = await find_job(api, batch, ledger.since, ledger.known_jobs)
                if found is not None:
                    return found
                # After a timeout it may still be under way; a broken connection ended it.
                broke = isinstance(error.__cause__, (ReadError, WriteError, ProtocolError))
                if not broke or not sends_left:
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def _post(self, batch: Batch) -> str:
        self._ledger.unknown_to = batch.stop
        self._is_sending = True
        try:
            job_id = await self._api.post(batch.content)
        except VoucherifyError as error:
            if not isinstance(error, AmbiguousOutcomeError):
                # Refused, or never sent.
                self._ledger.unknown_to = None
            raise
        finally:
            self._is_sending = False
        return job_id

    async def _follow(self, job: OpenImport) -> None:
        try:
            action = await self._api.follow(job.id)
            self._ledger.close(job, action)
            self._slots.release()
            await self._tell()
        except Exception as error:  # noqa: BLE001 - told when the tasks have ended
            self._fail(error)

    async def _tell(self) -> None:
        if self._on_progress is None:
            return
        async with self._turn:
            outcome = self._on_progress(self.report)
            if inspect.isawaitable(outcome):
                await outcome


def _checked(resume_from: ResumePoint | int) -> ResumePoint:
    point = resume_from
    if isinstance(point, int) and not isinstance(point, bool):
        point = ResumePoint(index=point)
    if not isinstance(point, ResumePoint) or point.index < 0:
        raise InvalidArgumentError(
            "resume_from: expected the ResumePoint of an interrupted import, or how many items to "
            f"pass over, got {resume_from!r}"
        )
    return point
