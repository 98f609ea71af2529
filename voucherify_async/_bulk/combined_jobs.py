"""One handle on bulk work that took several requests."""

from __future__ import annotations

from collections.abc import (
    AsyncIterable,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Sequence,
)
from contextlib import aclosing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import evolve, frozen

from .._clock import Clock
from .._concurrency.items import Items
from .._protocol.bodies import MAX_BODY_BYTES, check_size, encode_json
from ..errors import (
    AmbiguousOutcomeError,
    BulkInterruptedError,
    InvalidArgumentError,
    VoucherifyError,
)
from ..jobs import AsyncJob, Progress, check_action, wait_until_finished
from ..models.async_actions import AsyncAction, AsyncActionResult
from .batches import Body

if TYPE_CHECKING:
    from ..resources.async_actions import AsyncActions

T = TypeVar("T")


@frozen
class SentPart:
    """One accepted request of several."""

    id: str
    """Id of its async action."""
    first: int
    """How many items, of a file rows, were sent before it."""
    count: int
    """How many it holds."""


class CombinedJob(AsyncJob):
    """Several background jobs that belong together, as if they were one.

    The action that `status` and `wait` return sums them up: counts are added, failures and reports
    stand one behind the other, and rows are counted in the file as a whole.

    Attributes:
        id: The id of the first job.
        ids: The ids of all jobs, in the order of the items.
    """

    def __init__(self, parts: Sequence[SentPart], actions: AsyncActions, clock: Clock) -> None:
        super().__init__(parts[0].id, actions)
        self.ids = tuple(part.id for part in parts)
        self._parts = tuple(parts)
        self._clock = clock
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
        for part in self._parts:
            action = self._ended.get(part.id) or await self._actions.get(part.id)
            if action.is_finished:
                self._ended[part.id] = action
            seen.append(_shifted(action, part.first))
        return _sum(seen)

    async def wait(
        self,
        timeout: float | None = None,  # noqa: ASYNC109
        on_progress: Progress[AsyncAction] | None = None,
        *,
        raise_on_failed: bool = False,
    ) -> AsyncAction:
        """Look until every job has ended; as for one job.

        Args:
            timeout: Seconds to wait at the most; None waits as long as it takes.
            on_progress: Called with every report, `progress` is in percent.
            raise_on_failed: Whether to raise where a job or one of its items failed.

        Returns:
            The sum of the jobs at their end.

        Raises:
            WaitTimeoutError: They had not ended in time; they go on.
            AsyncActionFailedError: Something failed and `raise_on_failed` is set.
        """
        action = await wait_until_finished(
            self.status, id=self.id, clock=self._clock, timeout=timeout, on_progress=on_progress
        )
        return check_action(action) if raise_on_failed else action


def job_of(parts: Sequence[SentPart], actions: AsyncActions, clock: Clock) -> AsyncJob:
    """A handle on one request, or on several."""
    return AsyncJob(parts[0].id, actions) if len(parts) == 1 else CombinedJob(parts, actions, clock)


class Parts:
    """Sends the requests of one piece of work, and tells how far it came where one fails."""

    def __init__(self) -> None:
        self.sent: list[SentPart] = []
        self._count = 0
        self._trying = 0

    async def send(self, post: Callable[[], Awaitable[str]], count: int) -> None:
        """Send one request with so many items."""
        self._trying = count
        self.sent.append(SentPart(await post(), self._count, count))
        self._count += count
        self._trying = 0

    @contextmanager
    def telling(self) -> Iterator[None]:
        """What goes wrong inside is told with what was accepted, if anything was.

        Raises:
            BulkInterruptedError: Something went wrong after the first request was accepted.
        """
        try:
            yield
        except Exception as error:
            if not self.sent:
                raise
            is_refusal = isinstance(error, VoucherifyError)
            is_unknown = isinstance(error, AmbiguousOutcomeError) or not is_refusal
            raise BulkInterruptedError(
                f"Interrupted after {self._count:,} items, which were accepted: {error}",
                job_ids=[part.id for part in self.sent],
                accepted=self._count,
                unknown=self._trying if is_unknown else 0,
            ) from error


async def send_items(
    items: Iterable[Any] | AsyncIterable[Any],
    name: str,
    body: Body,
    post: Callable[[bytes], Awaitable[str]],
) -> list[SentPart]:
    """Send items in as few requests as they fit into.

    Raises:
        InvalidArgumentError: There are no items, or one cannot be sent; nothing was.
        BulkInterruptedError: Something went wrong after the first request was accepted.
    """
    parts, index = Parts(), 0
    with parts.telling():
        async with aclosing(Items(items, name)) as each:
            async for item in each:
                encoded = encode_json(item, name=f"{name}[{index}]")
                if len(body) and not body.fits(encoded):
                    await _send(parts, body, post)
                if not body.fits(encoded):
                    check_size(MAX_BODY_BYTES + len(encoded), f"{name}[{index}]")
                body.add(encoded)
                index += 1
        if not index:
            raise InvalidArgumentError(f"{name}: is empty; there is nothing to send")
        await _send(parts, body, post)
    return parts.sent


async def _send(parts: Parts, body: Body, post: Callable[[bytes], Awaitable[str]]) -> None:
    count = len(body)
    await parts.send(partial(post, body.take()), count)


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
    if has_ended:
        status = "FAILED" if "FAILED" in statuses else "DONE"
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
        reports=joined("reports"),
        reports_available_till=min(till, default=None),
    )


def _known(values: Iterable[T | None]) -> list[T]:
    return [value for value in values if value is not None]


__all__ = ["CombinedJob"]
