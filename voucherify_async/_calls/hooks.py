"""Hooks: what a caller's own code hears of each call while it is under way."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

import anyio
import sniffio
from attrs import field, frozen

from ..errors import InvalidArgumentError
from .logs import log


@frozen(kw_only=True)
class RequestEvent:
    """An attempt is about to be made. It holds the route and never a code, a header or a body."""

    method: str
    """The HTTP method."""
    route: str
    """The path's template, such as `/v1/vouchers/{code}`."""
    attempt: int
    """Its number, from 1."""


@frozen(kw_only=True)
class ResponseEvent(RequestEvent):
    """An attempt has ended: with an answer, without one, or before anything could be sent."""

    status_code: int | None
    """The HTTP status, or None where no answer came."""
    error: str | None
    """The class of the error where no answer came, such as `ReadTimeout` or `RateLimitError`."""
    elapsed: float
    """Seconds that the attempt took, its turn in the queue included."""
    request_id: str | None
    """The id that Voucherify gave the request."""
    headers: Mapping[str, str] = field(repr=False)
    """A copy of the answer's headers, names in lower case, without cookies."""


@frozen(kw_only=True)
class RetryEvent(RequestEvent):
    """An attempt failed, and the call is sent again after a wait."""

    wait: float
    """Seconds until the next attempt."""
    status_code: int | None
    """The HTTP status, or None where no answer came."""
    error: str | None
    """The class of the error where no answer came."""


@frozen(kw_only=True)
class WaitEvent(RequestEvent):
    """The quota is used up, and the call waits for it."""

    wait: float | None
    """Seconds until the quota opens, where that is known."""


_FAILED: Final = "A hook failed; the call goes on"

E = TypeVar("E", bound=RequestEvent)
Hook = Callable[[E], Awaitable[None] | None]
"""A function, or an async one that is awaited."""


@frozen(kw_only=True)
class Hooks:
    """Functions that are called as calls go on; sync or async.

    They run outside the client's limits, so they may call the client themselves. What a hook raises
    is logged and costs no call. They do not hear of OAuth tokens and downloads.

    ```python
    async with AsyncVoucherify(hooks=Hooks(on_retry=lambda event: print(event))) as client:
        ...
    ```
    """

    on_request: Hook[RequestEvent] | None = None
    """Before each attempt."""
    on_response: Hook[ResponseEvent] | None = None
    """After each attempt."""
    on_retry: Hook[RetryEvent] | None = None
    """Before the wait that goes before another attempt."""
    on_wait: Hook[WaitEvent] | None = None
    """Before a wait for the quota."""

    def __attrs_post_init__(self) -> None:
        for name in ("on_request", "on_response", "on_retry", "on_wait"):
            hook = getattr(self, name)
            if hook is not None and not callable(hook):
                raise InvalidArgumentError(f"{name}: expected a function, got {hook!r}")


async def tell(hook: Hook[Any] | None, event: Callable[[], RequestEvent]) -> None:
    """Call a hook, if there is one; what it raises is logged."""
    if hook is None:
        return
    try:
        outcome = hook(event())
        if inspect.isawaitable(outcome):
            await outcome
    except Exception:  # noqa: BLE001 - of the caller's code, and never worth an answer
        log.exception(_FAILED)
    except anyio.get_cancelled_exc_class():
        if _is_the_calls_own():
            raise
        log.exception(_FAILED)


def _is_the_calls_own() -> bool:
    """Whether a cancellation is the call's, and not that of a task which a hook waited for."""
    if sniffio.current_async_library() != "asyncio":
        return True  # on trio a cancellation never leaves its own scope
    from .._concurrency.asyncio_tasks import is_being_cancelled

    return is_being_cancelled()
