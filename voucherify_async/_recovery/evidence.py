"""What looking for a lost write can come to, and what is looked with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from attrs import field, frozen

from .._calls.call import Call, CallOptions
from .._calls.caller import Caller
from .._protocol import routes
from .._protocol.answers import Answer, decode_json, is_own_error
from .._protocol.route import BoundRoute, Route
from ..errors import AmbiguousOutcomeError, NotFoundError

CLOCK_TOLERANCE: Final = timedelta(seconds=5)
"""How far the clocks of Voucherify's own machines may be apart."""
ABSENCE: Final = timedelta(seconds=180) + CLOCK_TOLERANCE
"""How long ago a write has to be before its absence says that it was not done."""


@frozen
class Done:
    """It was done: here is what it gave."""

    result: Any = None


@frozen
class Absent:
    """All was looked through that would show it, and it is not there."""

    why: str


@frozen
class Unclear:
    """What there is does not tell."""

    why: str


Evidence = Done | Absent | Unclear


@frozen
class Lost:
    """A write of unknown outcome, as its error remembers it."""

    route: Route
    values: Mapping[str, str]
    sent: Any = field(repr=False)
    """The JSON of its body, or None."""
    source_id: str | None
    sent_at: datetime
    """By Voucherify's clock."""
    given_up_at: datetime
    """By the clock of the machine that sent it."""

    @classmethod
    def of(cls, error: AmbiguousOutcomeError) -> Lost | None:
        """The write that an error is about, or None where nothing is known to look for."""
        route = routes.route_of(error.method, error.path)
        if route is None or route.finder is None or error.sent_at is None:
            return None
        try:
            sent = decode_json(error.sent) if error.sent else None
        except ValueError:
            return None
        return cls(
            route,
            error.path_values,
            sent,
            error.source_id,
            error.sent_at,
            error.given_up_at or error.sent_at,
        )

    def was_before(self, instant: datetime | None) -> bool:
        """Whether the write was sent before an instant that Voucherify tells."""
        return instant is not None and instant >= self.sent_at - CLOCK_TOLERANCE

    def may_be_of(self, instant: datetime | None) -> bool:
        """Whether the write may have been done then: since it was sent, and while it could land."""
        latest = max(self.sent_at, self.given_up_at) + ABSENCE
        return instant is not None and self.was_before(instant) and instant <= latest


@frozen
class Look:
    """One look at what the API shows: it reads, and never writes."""

    caller: Caller
    options: CallOptions
    looked_at: list[str] = field(factory=list)
    """The requests that were answered, by their routes."""

    async def read(self, target: BoundRoute, params: Mapping[str, Any] | None = None) -> Any:
        """The body that a GET is answered with; a listing's taken apart."""
        call = Call.of(target, self.options, params=params)
        _, body = await self.caller.fetch(call, lambda body: body)
        self.looked_at.append(f"{target.route.method} {target.route.template}")
        return body

    async def read_or_none(self, target: BoundRoute) -> Any:
        """The same, or None where Voucherify itself says that there is no such thing."""
        try:
            return await self.read(target)
        except NotFoundError as error:
            # A proxy that does not know the path says nothing of what is there.
            if not is_own_error(Answer(404, error.headers, orjson.dumps(error.body))):
                raise
            self.looked_at.append(f"{target.route.method} {target.route.template}")
            return None


def agrees(sent: Any, found: Any) -> bool:
    """Whether everything that was sent stands in what was found, in the same words."""
    if isinstance(sent, Mapping):
        inner = found if isinstance(found, Mapping) else {}
        return all(agrees(value, inner.get(key)) for key, value in sent.items())
    if _is_array(sent) and _is_array(found):
        return len(sent) == len(found) and all(map(agrees, sent, found))
    return bool(sent == found) or _is_same_instant(sent, found)


def _is_array(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_same_instant(sent: Any, found: Any) -> bool:
    try:
        return datetime.fromisoformat(sent) == datetime.fromisoformat(found)
    except (TypeError, ValueError):
        return False
