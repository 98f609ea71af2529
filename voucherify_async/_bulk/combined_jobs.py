"""One handle on bulk work that took several requests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from attrs import evolve

from .._clock import Clock
from ..jobs import ActionReader, AsyncJob
from ..models.async_actions import AsyncAction, AsyncActionResult
from .request_series import AcceptedRequest

T = TypeVar("T")


class CombinedJob(AsyncJob):
    """Several background jobs that belong together, as if they were one.

    The action that `status` and `wait` return sums them up: counts are added, failures and reports
    stand one behind the other, and rows are counted in the file as a whole.

    Attributes:
        id: The id of the first job.
        ids: The ids of all jobs, in the order of the items.
    """

    def __init__(
        self, requests: Sequence[AcceptedRequest], actions: ActionReader, clock: Clock
    ) -> None:
        super().__init__(requests[0].id, actions, clock)
        self.ids: tuple[str, ...] = tuple(request.id for request in requests)
        self._requests = tuple(requests)
        self._ended: dict[str, AsyncAction] = {}

    def __repr__(self) -> str:
        return f"CombinedJob(ids={self.ids!r})"

    async def status(self) -> AsyncAction:
        """Look once at every job that had not ended.

        Returns:
            The sum of the jobs as they stand.

        Raises:
            NotFoundError: Voucherify does not know an id.
        """
        seen: list[AsyncAction] = []
        for request in self._requests:
            action = self._ended.get(request.id) or await self._actions.get(request.id)
            if action.is_finished:
                self._ended[request.id] = action
            seen.append(_shifted(action, request.first))
        return _sum(seen)


def job_of(requests: Sequence[AcceptedRequest], actions: ActionReader, clock: Clock) -> AsyncJob:
    """A handle on one request, or on several."""
    return (
        AsyncJob(requests[0].id, actions, clock)
        if len(requests) == 1
        else CombinedJob(requests, actions, clock)
    )


def _shifted(action: AsyncAction, rows: int) -> AsyncAction:
    """The same action with its failures' rows counted from the first row of the whole file."""
    result = action.result
    if not rows or result is None or not result.failed:
        return action
    failed = [
        failure if failure.row is None else evolve(failure, row=failure.row + rows)
        for failure in result.failed
    ]
    return evolve(action, result=evolve(result, failed=tuple(failed)))


def _sum(actions: Sequence[AsyncAction]) -> AsyncAction:
    statuses = {action.status for action in actions}
    has_ended = all(action.is_finished for action in actions)
    status: str | None
    if has_ended:
        status = "FAILED" if "FAILED" in statuses else "DONE"
    elif odd := statuses - {"ENQUEUED", "IN_PROGRESS", "DONE", "FAILED"}:
        # Whoever waits has to hear of a status that is unknown, or missing.
        status = None if None in odd else min(filter(None, odd))
    else:
        status = "ENQUEUED" if statuses == {"ENQUEUED"} else "IN_PROGRESS"
    results = [action.result for action in actions if action.result is not None]
    changed = _known(action.updated_at for action in actions)
    progress = [100 if a.is_finished else a.progress or 0 for a in actions]
    operations = set(_known(action.operation_status for action in actions))
    return evolve(
        actions[0],
        status=status,
        operation_status="FAILED" if "FAILED" in operations else actions[-1].operation_status,
        result=_sum_results(results) if has_ended and results else None,
        updated_at=max(changed, default=None),
        progress=sum(progress) // len(progress),
        processing_time=sum(_known(action.processing_time for action in actions)) or None,
    )


def _sum_results(results: Sequence[AsyncActionResult]) -> AsyncActionResult:
    def joined(name: str) -> tuple[Any, ...] | None:
        lists = _known(getattr(result, name) for result in results)
        return tuple(item for each in lists for item in each) if lists else None

    till = _known(result.reports_available_till for result in results)
    return AsyncActionResult(
        message=" ".join(_known(result.message for result in results)) or None,
        done_count=sum(_known(result.done_count for result in results)),
        failed_count=sum(_known(result.failed_count for result in results)),
        failed=joined("failed"),
        errors=joined("errors"),
        results=joined("results"),
        reports=joined("reports"),
        reports_available_till=min(till, default=None),
    )


def _known(values: Iterable[T | None]) -> list[T]:
    return [value for value in values if value is not None]


__all__ = ["CombinedJob"]
