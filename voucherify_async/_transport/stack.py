"""httpx with httpcore, or their successors httpx2 with httpcore2: one shape, so one backend."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from ..errors import ConfigurationError


@frozen
class Stack:
    """Two modules, under the names of the older ones."""

    httpx: Any
    httpcore: Any


def httpx_of(backend: str) -> Any:
    """The module of httpx's shape beside a backend: httpx, or its successor where that is meant.

    Raises:
        ConfigurationError: It is not installed.
    """
    if backend != "httpx2":
        import httpx

        return httpx
    try:
        import httpx2
    except ImportError:
        raise ConfigurationError(
            'http_backend: "httpx2" is an extra: pip install "voucherify-async[httpx2]"'
        ) from None
    return httpx2


def stack_of(backend: str) -> Stack:
    """What a backend stands on.

    Raises:
        ConfigurationError: It is not installed.
    """
    httpx = httpx_of(backend)
    if backend == "httpx2":
        import httpcore2

        return Stack(httpx, httpcore2)
    import httpcore

    return Stack(httpx, httpcore)
