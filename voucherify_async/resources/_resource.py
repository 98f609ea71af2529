"""What the namespaces share: route, send, structure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeVar

from attrs import evolve

from .._calls.call import Call, CallOptions, check_options
from .._calls.caller import Caller
from .._calls.limits import end_of
from .._checks import MAX_LIMIT, check_count, check_seconds
from .._conversion.converter import structure_at, to_json_types
from .._protocol.listings import Envelope, Query, Scheme
from .._protocol.retry import RetryPolicy
from .._protocol.route import BoundRoute
from .._recovery import settlement
from .._unset import UNSET
from ..errors import AmbiguousOutcomeError
from ..models.async_actions import AsyncActionAccepted
from ..pagination import AsyncPaginator

T = TypeVar("T")

DEFAULT_LIMIT: Final = 100


class Resource:
    """The base of a namespace: it knows the caller and nothing of HTTP."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def _send(
        self,
        target: BoundRoute,
        options: CallOptions,
        *,
        body: Any = UNSET,
        params: Query | None = None,
    ) -> None:
        """Send a call whose answer says nothing more than that it was done."""
        await self._caller.fetch(Call.of(target, options, body=body, params=params), _ignore)

    async def _fetch(
        self,
        model: type[T],
        target: BoundRoute,
        options: CallOptions,
        *,
        body: Any = UNSET,
        params: Query | None = None,
        files: Mapping[str, Any] | None = None,
    ) -> T:
        """Send a call, and read its answer as a model."""
        call = Call.of(target, options, body=body, params=params, files=files)
        _, result = await self._caller.fetch(call, partial(structure_at, model))
        return result

    async def _confirmed(
        self,
        model: type[T],
        target: BoundRoute,
        options: CallOptions,
        *,
        body: Any,
        within: float,
        params: Query | None = None,
    ) -> T:
        """Send a write; where its answer is lost, look for so many seconds whether it was done."""
        check_seconds("confirm_within", within)
        until = end_of(self._caller.settings.clock, self._caller.policy(options))
        try:
            return await self._fetch(model, target, options, body=body, params=params)
        except AmbiguousOutcomeError as error:
            result: T = await settlement.confirm(
                self._caller, error, options, within=within, until=until
            )
            return result

    def _list(
        self,
        model: type[T],
        target: BoundRoute,
        query: Query,
        options: CallOptions,
        *,
        max_items: int | None,
        prefetch: int,
        scheme: Callable[[], Scheme] | None = None,
    ) -> AsyncPaginator[T]:
        """A listing that is walked as its route says, or by another scheme."""
        listing = target.route.listing
        assert listing is not None  # noqa: S101
        if "limit" in query:
            check_count("limit", query["limit"], most=MAX_LIMIT)
        asked = {name: value for name, value in query.items() if value is not None}

        def call(query: Query) -> Call:
            if target.route.method == "GET":
                return Call.of(target, options, params=query)
            return Call.of(target, options, body=query)

        async def fetch(query: Query) -> Envelope:
            _, envelope = await self._caller.fetch(call(query), _as_it_is)
            return envelope

        # Refused now, at the line that asked for it, and not at the first page.
        call(asked)
        return AsyncPaginator(
            fetch,
            partial(structure_at, model),
            scheme or listing.scheme,
            asked,
            max_items=max_items,
            prefetch=prefetch,
        )

    def _list_all(
        self,
        model: type[T],
        target: BoundRoute,
        query: Query,
        options: CallOptions,
        *,
        max_items: int | None,
        concurrency: int,
    ) -> AsyncPaginator[T]:
        """A listing that is walked to its end, past the last page that the API serves."""
        listing = target.route.listing
        assert listing is not None and listing.everything is not None  # noqa: S101, PT018
        check_count("concurrency", concurrency)
        name = listing.time_field
        bounds = query.get(name)
        query = {
            **query,
            name: None if bounds is None else to_json_types(bounds, name),
            "page": 1,
            "order": name,
        }
        scheme = partial(listing.everything, query, concurrency)
        scheme()  # refuses instants that it cannot read
        return self._list(
            model,
            target,
            query,
            self._patient(options),
            max_items=max_items,
            prefetch=concurrency,
            scheme=scheme,
        )

    def _patient(self, options: CallOptions) -> CallOptions:
        """The options of bulk work, which waits for the quota as long as it takes.

        A policy that was given for the call itself is obeyed.
        """
        check_options(options)
        if "retry" in options:
            return options
        policy = self._caller.settings.retry or RetryPolicy(max_attempts=1)
        return {**options, "retry": evolve(policy, max_wait=math.inf)}

    async def _accepted(
        self,
        target: BoundRoute,
        options: CallOptions,
        *,
        body: Any = UNSET,
        files: Mapping[str, Any] | None = None,
    ) -> str:
        """Send work that goes on in the background, and return the id to follow it by."""
        accepted = await self._fetch(AsyncActionAccepted, target, options, body=body, files=files)
        # Its route refuses an answer without one.
        return accepted.async_action_id or ""


def _as_it_is(envelope: Envelope) -> Envelope:
    return envelope


def _ignore(body: Any) -> None:
    del body
