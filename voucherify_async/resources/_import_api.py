"""What an import stream needs of the API, over the namespaces."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from functools import partial

from .._calls.caller import Caller, CallOptions
from ..jobs import wait_until_finished
from ..models.async_actions import AsyncAction
from .async_actions import AsyncActions

_IMPORTS = frozenset({"VOUCHERS.IMPORT", "CAMPAIGN.VOUCHERS_IMPORT"})
_MAX_ACTIONS = 500


class ImportApi:
    """The calls of one import; `post` and `read` are bound to their routes."""

    def __init__(
        self,
        caller: Caller,
        post: Callable[[bytes], Awaitable[str]],
        read: Callable[[str], Awaitable[object]],
        options: CallOptions,
    ) -> None:
        self._post = post
        self._read = read
        self._actions = AsyncActions(caller)
        self._clock = caller.settings.clock
        self._options = options

    def post(self, content: bytes, /) -> Awaitable[str]:
        """Send a request; returns the id of its job."""
        return self._post(content)

    def read(self, code: str, /) -> Awaitable[object]:
        """A voucher."""
        return self._read(code)

    async def newest_action(self) -> AsyncAction | None:
        """The async action that was made last."""
        page = await self._actions.list(limit=1, **self._options)
        return next(iter(page), None)

    async def newer_imports(self, since: datetime | None, known: Collection[str]) -> list[str]:
        """Ids of the imports made since an instant, oldest first, but for the known ones."""
        found: list[str] = []
        listing = self._actions.list(max_items=_MAX_ACTIONS, prefetch=0, **self._options)
        async for action in listing:
            if since is not None and action.created_at is not None and action.created_at < since:
                break
            if action.type in _IMPORTS and action.id and action.id not in known:
                found.append(action.id)
        return found[::-1]

    async def follow(self, job_id: str) -> AsyncAction:
        """An async action at its end."""
        look = partial(self._actions.get, job_id, **self._options)
        return await wait_until_finished(
            look, id=job_id, clock=self._clock, timeout=None, on_progress=None
        )

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._clock.sleep(seconds)
