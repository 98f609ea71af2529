"""What became of an import whose answer was lost: found out by reading, never by sending."""

from __future__ import annotations

from collections.abc import Awaitable, Collection
from datetime import datetime
from typing import Final, Protocol

from .._bulk.ledger import Batch
from ..errors import NotFoundError
from ..models.async_actions import AsyncAction

LOOKS: Final = 3
FIRST_LOOK_SECONDS: Final = 0.5


class Api(Protocol):
    """What an import needs of the API."""

    def post(self, content: bytes, /) -> Awaitable[str]:
        """Send a request; returns the id of its job."""
        ...

    async def newest_action(self) -> AsyncAction | None:
        """The async action that was made last."""
        ...

    async def newer_imports(self, since: datetime | None, known: Collection[str]) -> list[str]:
        """Ids of the imports made since an instant, oldest first, but for the known ones."""
        ...

    async def follow(self, job_id: str) -> AsyncAction:
        """An async action at its end."""
        ...

    def read(self, code: str, /) -> Awaitable[object]:
        """A voucher."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


async def find_job(
    api: Api, batch: Batch, since: datetime | None, known: Collection[str]
) -> str | None:
    """The job of a batch that was sent with unknown outcome.

    Args:
        api: The API.
        batch: What was sent.
        since: An instant before it was sent, by Voucherify's clock.
        known: Ids of async actions that are others' jobs.

    Returns:
        The job's id, or None where there is none: the batch was not accepted, or not yet.

    Raises:
        VoucherifyError: It cannot be found out.
    """
    others = set(known)
    for look in range(LOOKS):
        # It may have been accepted just now, or not be listed yet.
        await api.sleep(FIRST_LOOK_SECONDS * 2**look)
        for job_id in await api.newer_imports(since, others):
            if await _is_of(api, await api.follow(job_id), batch):
                return job_id
            others.add(job_id)
    return None


async def _is_of(api: Api, action: AsyncAction, batch: Batch) -> bool:
    """Whether a job is the batch's, and not one that another process began at that moment."""
    result = action.result
    if result is None or result.done_count is None:
        # It failed as a whole and imported nothing, so that sending the batch again does no harm.
        return False
    failed = {failure.code for failure in result.failed or ()}
    counted = result.done_count + (result.failed_count or 0)
    if counted != len(batch.codes) or not failed <= set(batch.codes):
        return False
    done = next((code for code in batch.codes if code not in failed), None)
    return done is None or await _exists(api, done)


async def _exists(api: Api, code: str) -> bool:
    try:
        await api.read(code)
    except NotFoundError:
        return False
    return True
