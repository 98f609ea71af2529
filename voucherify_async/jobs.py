"""Handles on work that goes on at Voucherify after the answer: async actions and exports."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from ._clock import Clock
from .errors import (
    AsyncActionFailedError,
    ExportFailedError,
    InvalidArgumentError,
    ResponseValidationError,
    WaitTimeoutError,
)
from .models.async_actions import AsyncAction, AsyncActionResult
from .models.exports import Export

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path

    from ._files.transaction_rows import TransactionRows

Job = TypeVar("Job", AsyncAction, Export)
Progress = Callable[[Job], Awaitable[None] | None]
"""Called with every report of a job: a function, or an async one that is awaited."""


class ActionReader(Protocol):
    """What a job's handle needs of `client.async_actions`."""

    async def get(self, id: str, /) -> AsyncAction:  # noqa: A002
        """Read an async action."""
        ...


class ExportReader(Protocol):
    """What an export's handle needs of `client.exports`."""

    async def get(self, id: str, /) -> Export:  # noqa: A002
        """Read an export."""
        ...

    async def wait(
        self,
        id: str,  # noqa: A002
        /,
        *,
        timeout: float | None = None,  # noqa: ASYNC109
        on_progress: Progress[Export] | None = None,
    ) -> Export:
        """Wait for its end."""
        ...

    async def download(
        self, export: Export, to: str | PathLike[str], /, *, escape: bool = False
    ) -> Path:
        """Write its file."""
        ...

    def rows(self, export: Awaitable[Export], /) -> TransactionRows:
        """Read its rows."""
        ...


FIRST_POLL_SECONDS: Final = 0.5
LAST_POLL_SECONDS: Final = 5.0
UNKNOWN_STATUS_SECONDS: Final = 600.0
_RUNNING: Final = frozenset({"ENQUEUED", "SCHEDULED", "IN_PROGRESS"})


def poll_intervals() -> Iterator[float]:
    """Seconds between two looks at a job: short at first, since most jobs are."""
    seconds = FIRST_POLL_SECONDS
    while True:
        yield seconds
        seconds = min(LAST_POLL_SECONDS, seconds * 1.5)


async def wait_until_finished(
    look: Callable[[], Awaitable[Job]],
    *,
    id: str,  # noqa: A002 - the API's name for it
    clock: Clock,
    timeout: float | None,  # noqa: ASYNC109 - bounds waits between looks; nothing is cancelled
    on_progress: Progress[Job] | None,
) -> Job:
    """Look at a job until it has ended.

    Raises:
        WaitTimeoutError: It had not ended in `timeout` seconds, or, without a timeout, has a status
            that the library does not know after 600 s. It goes on at Voucherify.
        ResponseValidationError: An answer names no status.
    """
    if timeout is not None and not timeout >= 0:
        raise InvalidArgumentError(f"timeout: expected seconds of at least 0, got {timeout!r}")
    began = clock.monotonic()
    for seconds in poll_intervals():
        job = await look()
        if job.status is None:
            raise ResponseValidationError(json_path="$.status", expected="a status", value=None)
        if on_progress is not None:
            outcome = on_progress(job)
            if inspect.isawaitable(outcome):
                await outcome
        if job.is_finished:
            return job
        # A status that the library does not know may be an end: it is not waited on for ever.
        bound = timeout
        if bound is None and job.status not in _RUNNING:
            bound = UNKNOWN_STATUS_SECONDS
        left = None if bound is None else began + bound - clock.monotonic()
        if left is not None and left <= 0:
            raise WaitTimeoutError(
                f"{id} had not ended after {bound} s (last status: {job.status}). It goes on at "
                "Voucherify; wait for it again by its id",
                id=id,
                last=job,
            )
        await clock.sleep(seconds if left is None else min(seconds, left))
    raise AssertionError("poll_intervals() is endless")


class AsyncJob:
    """A background job that Voucherify has accepted: an import or a bulk update.

    Attributes:
        id: The async action's id. Keep it, and a later process can wait with
            `client.async_actions.wait(id)`.
    """

    def __init__(self, id: str, actions: ActionReader, clock: Clock) -> None:  # noqa: A002
        self.id = id
        self._actions = actions
        self._clock = clock

    def __repr__(self) -> str:
        return f"AsyncJob(id={self.id!r})"

    async def status(self) -> AsyncAction:
        """Look once (`GET /v1/async-actions/{id}`).

        Returns:
            The async action as it stands.

        Raises:
            NotFoundError: Voucherify does not know the id.
        """
        return await self._actions.get(self.id)

    async def wait(
        self,
        timeout: float | None = None,  # noqa: ASYNC109
        on_progress: Progress[AsyncAction] | None = None,
        *,
        raise_on_failed: bool = False,
    ) -> AsyncAction:
        """Look until the job has ended; `DONE` with failed items is an end too, so read `result`.

        Args:
            timeout: Seconds to wait at the most; None waits as long as it takes.
            on_progress: Called with every report, `progress` is in percent.
            raise_on_failed: Whether to raise where the job or one of its items failed.

        Returns:
            The async action at its end.

        Raises:
            WaitTimeoutError: The job had not ended in time; it goes on.
            AsyncActionFailedError: Something failed and `raise_on_failed` is set.
        """
        action = await wait_until_finished(
            self.status, id=self.id, clock=self._clock, timeout=timeout, on_progress=on_progress
        )
        return check_action(action) if raise_on_failed else action


class ExportJob:
    """An export that Voucherify has accepted.

    Attributes:
        id: The export's id.
        export: The export as it was when it was accepted.
    """

    def __init__(self, export: Export, id: str, exports: ExportReader) -> None:  # noqa: A002
        self.id = id
        self.export = export
        self._exports = exports

    def __repr__(self) -> str:
        return f"ExportJob(id={self.id!r})"

    async def status(self) -> Export:
        """Look once (`GET /v1/exports/{id}`).

        Returns:
            The export as it stands.
        """
        return await self._exports.get(self.id)

    async def wait(
        self,
        timeout: float | None = None,  # noqa: ASYNC109
        on_progress: Progress[Export] | None = None,
    ) -> Export:
        """Look until the export has ended.

        Args:
            timeout: Seconds to wait at the most; None waits as long as it takes.
            on_progress: Called with every report.

        Returns:
            The export, with the address of its file in `result.url`.

        Raises:
            WaitTimeoutError: It had not ended in time; it goes on.
            ExportFailedError: It ended in ERROR.
        """
        return await self._exports.wait(self.id, timeout=timeout, on_progress=on_progress)

    async def download(
        self,
        to: str | PathLike[str],
        *,
        timeout: float | None = None,  # noqa: ASYNC109
        escape: bool = False,
    ) -> Path:
        """Wait for the export and write its CSV to a file.

        Args:
            to: The file's path; it appears there whole or not at all.
            timeout: Seconds to wait for the export at the most.
            escape: Whether cells that a spreadsheet would run as formulas get an apostrophe in
                front, see `escape_cell`.

        Returns:
            The path.

        Raises:
            WaitTimeoutError: It had not ended in time; it goes on.
            ExportFailedError: It ended in ERROR.
            TransportError: The download broke off for good.
        """
        return await self._exports.download(await self.wait(timeout), to, escape=escape)

    def rows(self, *, timeout: float | None = None) -> TransactionRows:
        """Wait for the export and read its transactions while its CSV comes in.

        Args:
            timeout: Seconds to wait for the export at the most.

        Returns:
            An async iterator of `VoucherTransaction`, as of `exports.rows`.
        """
        return self._exports.rows(_Ended(self, timeout))


class _Ended(Awaitable[Export]):
    """An export that is waited for when it is awaited; unlike a coroutine it may be dropped."""

    def __init__(self, job: ExportJob, timeout: float | None) -> None:
        self._job = job
        self._timeout = timeout

    def __await__(self) -> Generator[Any, Any, Export]:
        return self._job.wait(self._timeout).__await__()


def check_action(action: AsyncAction) -> AsyncAction:
    """Raise where an async action, or one of its items, failed.

    Raises:
        AsyncActionFailedError: It did; `action` has the details.
    """
    if not action.has_failures:
        return action
    told = "" if action.result is None else f": {_counts(action.result)}"
    raise AsyncActionFailedError(
        f"{action.type} {action.id} ended {action.status}{told}", action=action
    )


def _counts(result: AsyncActionResult) -> str:
    """How many items were done and failed, and which failed first."""
    missed = [item for item in result.results or () if item.has_failed]
    done = result.done_count
    if done is None:
        done = len(result.results or ()) - len(missed)
    failed = len(missed) if result.failed_count is None else result.failed_count
    text = f"{done} done, {failed} failed"
    reasons = [(each.code or each.source_id, each.reason) for each in result.failed or ()]
    reasons += [
        (item.code or item.source_id, "not changed" if item.found else "not found")
        for item in missed
    ]
    if reasons:
        text += f"; first: {reasons[0][0]}: {reasons[0][1]}"
    return text


def check_export(export: Export) -> Export:
    """Raise where an export failed.

    Raises:
        ExportFailedError: It ended in ERROR.
    """
    if export.status == "ERROR":
        raise ExportFailedError(f"The export {export.id} ended in ERROR", export=export)
    return export
