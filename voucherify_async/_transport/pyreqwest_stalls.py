"""The time limits of a large request, which pyreqwest would count from its beginning."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Final

import anyio

from .. import errors
from .backend import timeouts_of
from .exchange import Outgoing
from .pyreqwest_body import Body
from .pyreqwest_errors import StalledError, raise_own_cancellation

if TYPE_CHECKING:
    from pyreqwest.response import Response

_LOOK_AGAIN: Final = 1.0
_Steps = Mapping[str, float | None]


async def watched(ask: Awaitable[Response], body: Body, request: Outgoing) -> Response:
    """The answer to a large body, of which each piece has its time.

    Raises:
        StalledError: The other side took no piece, or took them all and did not answer.
    """
    watch = _Watch(body, timeouts_of(request.timeout))
    with watch.scope:
        try:
            return await ask
        except asyncio.CancelledError as error:
            await raise_own_cancellation(error)
            raise
        finally:
            watch.end()
    raise StalledError(errors.WriteTimeout if body.pieces else errors.ReadTimeout)


class _Watch:
    """Leaves a request of whose body no piece was taken since it looked last."""

    def __init__(self, body: Body, timeouts: _Steps) -> None:
        self._body = body
        self._timeouts = timeouts
        self.scope = anyio.CancelScope()
        # Connecting has a limit of its own.
        self._look_after((timeouts["connect"] or 0) + (timeouts["write"] or _LOOK_AGAIN))

    def end(self) -> None:
        self._timer.cancel()

    def _look_after(self, seconds: float) -> None:
        left = len(self._body.pieces)
        self._timer = asyncio.get_running_loop().call_later(seconds, self._look, left)

    def _look(self, left: int) -> None:
        limit = self._timeouts["write" if self._body.pieces else "read"]
        if limit is not None and len(self._body.pieces) == left:
            self.scope.cancel()
        else:
            self._look_after(limit or _LOOK_AGAIN)
