"""One call of the API as data, and the settings that it is sent with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from attrs import field, frozen

from .._clock import Clock
from .._protocol.retry import RetryPolicy
from .._protocol.routes import Route
from ..auth import Auth
from ..errors import InvalidArgumentError


class CallOptions(TypedDict, total=False):
    """What every method takes for one call, over the client's own settings."""

    timeout: Any
    """Seconds for each step of an attempt (connect, write, read), None for no bound, or an
    `httpx.Timeout`."""
    retry: RetryPolicy | None
    """The retry policy; None sends once."""


def check_options(options: CallOptions) -> None:
    """Refuse what `**options` would swallow: a misspelt argument, a timeout that is none.

    Raises:
        TypeError: A name is unknown.
        InvalidArgumentError: The timeout is not above 0.
    """
    if not options:
        return
    unknown = options.keys() - CallOptions.__optional_keys__
    if unknown:
        # As Python itself says it of a method without **options.
        raise TypeError(f"unexpected keyword argument: {', '.join(sorted(unknown))}")
    timeout = options.get("timeout")
    if isinstance(timeout, (int, float)) and not timeout > 0:
        raise InvalidArgumentError(f"timeout: expected seconds above 0 or None, got {timeout!r}")


@frozen(kw_only=True)
class Settings:
    """What a client was told; `with_options` makes another of it over the same connections."""

    base_url: str
    auth: Auth
    timeout: Any
    retry: RetryPolicy | None
    headers: Mapping[str, str] = field(repr=False)
    clock: Clock


@frozen
class Call:
    """One call of the API, ready to be sent as often as it takes."""

    route: Route
    path: str
    query: str = ""
    content: bytes | None = field(default=None, repr=False)
    content_type: str | None = None
    files: Mapping[str, Any] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    options: CallOptions = field(factory=CallOptions)
