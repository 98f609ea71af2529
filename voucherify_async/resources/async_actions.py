"""`client.async_actions`: the background jobs of imports and bulk updates."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Unpack

from .._calls.caller import CallOptions
from .._protocol.routes import GET_ASYNC_ACTION, LIST_ASYNC_ACTIONS
from ..jobs import AsyncJob, Progress
from ..models.async_actions import AsyncAction
from ..pagination import AsyncPaginator
from . import _arguments
from ._raw import RawResource, raw
from ._resource import DEFAULT_LIMIT, Resource


class AsyncActions(Resource):
    """Look at background jobs and wait for them."""

    @cached_property
    def with_raw_response(self) -> RawAsyncActions:
        """The same methods, which return status and headers too."""
        return RawAsyncActions(self)

    async def get(self, id: str, **options: Unpack[CallOptions]) -> AsyncAction:  # noqa: A002
        """Read an async action (`GET /v1/async-actions/{id}`, operation get-async-action).

        Args:
            id: Its id.

        Returns:
            The async action, with its `result` once it has ended.

        Raises:
            NotFoundError: There is no such async action.
        """
        return await self._fetch(AsyncAction, GET_ASYNC_ACTION(id=id), options)

    def list(
        self,
        *,
        limit: int = DEFAULT_LIMIT,
        end_date: datetime | str | None = None,
        max_items: int | None = None,
        prefetch: int = 1,
        **options: Unpack[CallOptions],
    ) -> AsyncPaginator[AsyncAction]:
        """List async actions, newest first (`GET /v1/async-actions`, list-async-actions).

        Args:
            limit: Actions a page, 1 to 100.
            end_date: Only those scheduled before this instant.
            max_items: How many actions to yield at the most.
            prefetch: Whether to read a page ahead while you work on one; 0 does not.

        Returns:
            A paginator: iterate it, or await it for the first page. Its actions have no `result`.

        Raises:
            InvalidArgumentError: An argument is out of range, or `end_date` has no time zone.
        """
        return self._list(
            AsyncAction,
            LIST_ASYNC_ACTIONS(),
            {"limit": limit, "end_date": _arguments.check_instant("end_date", end_date)},
            options,
            max_items=max_items,
            prefetch=prefetch,
        )

    async def wait(
        self,
        id: str,  # noqa: A002
        *,
        timeout: float | None = None,  # noqa: ASYNC109
        on_progress: Progress[AsyncAction] | None = None,
        raise_on_failed: bool = False,
    ) -> AsyncAction:
        """Look at an async action until it has ended.

        Args:
            id: Its id.
            timeout: Seconds to wait at the most; None waits as long as it takes.
            on_progress: Called with every report; an async function is awaited.
            raise_on_failed: Whether to raise where the action or one of its items failed.

        Returns:
            The async action at its end. `DONE` with failed items is an end too: read `result`.

        Raises:
            NotFoundError: There is no such async action.
            WaitTimeoutError: It had not ended in time; it goes on.
            AsyncActionFailedError: Something failed and `raise_on_failed` is set.
        """
        job = AsyncJob(id, self, self._caller.settings.clock)
        return await job.wait(timeout, on_progress, raise_on_failed=raise_on_failed)


class RawAsyncActions(RawResource[AsyncActions]):
    """`client.async_actions.with_raw_response`."""

    get = raw(AsyncActions.get)
    list = raw(AsyncActions.list)
    wait = raw(AsyncActions.wait)
