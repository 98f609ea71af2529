"""Checks of what callers hand in that need to know nothing of the API's types."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, TypeGuard
from urllib.parse import unquote

from .errors import InvalidArgumentError, VoucherifyError

MAX_LIMIT: Final = 100
_LONGEST: Final = 10**9
"""More seconds than anybody waits; a larger integer does not fit the arithmetic of clocks."""


def is_integer(value: object) -> TypeGuard[int]:
    """Whether it is an integer; to Python a bool is one, too."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether it is a number; NaN is one."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def check_count(
    name: str,
    count: Any,
    *,
    least: int = 1,
    most: int | None = None,
    error: type[VoucherifyError] = InvalidArgumentError,
) -> None:
    """Refuse what is not an integer within bounds.

    Args:
        name: What it is called in the message.
        count: What was given.
        least: The least that it may be.
        most: The most that it may be, if there is a bound.
        error: What is raised.

    Raises:
        VoucherifyError: It is not one; of the class `error`.
    """
    if not is_integer(count) or count < least or (most is not None and count > most):
        bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise error(f"{name}: expected an integer {bounds}, got {count!r}")


def check_ids(ids: Sequence[str] | None) -> Sequence[str] | None:
    """Refuse an empty list of ids, which would list everything.

    Raises:
        InvalidArgumentError: It is empty, or one text.
    """
    if ids is None:
        return None
    listed = [] if isinstance(ids, str) else list(ids)
    if not listed or not all(isinstance(id_, str) and id_ for id_ in listed):
        raise InvalidArgumentError(f"ids: expected a list of at least one id, got {ids!r}")
    return listed


def check_seconds(
    name: str,
    seconds: Any,
    *,
    zero: bool = False,
    infinite: bool = False,
    error: type[VoucherifyError] = InvalidArgumentError,
) -> None:
    """Refuse what is not a number of seconds.

    Args:
        name: What it is called in the message.
        seconds: What was given.
        zero: Whether it may be 0.
        infinite: Whether it may be infinite.
        error: What is raised.

    Raises:
        VoucherifyError: It is not a number above 0, or not finite.
    """
    # NaN is neither above 0 nor below anything.
    is_enough = is_number(seconds) and (seconds > 0 or (zero and seconds == 0))
    if not is_enough or not (seconds <= _LONGEST or (infinite and seconds == math.inf)):
        least = "of at least 0" if zero else "above 0"
        raise error(f"{name}: expected seconds {least}, got {seconds!r}")


def check_path(path: str) -> None:
    """Refuse what is not an absolute path of the API.

    Raises:
        InvalidArgumentError: It is not, or would lead elsewhere.
    """
    if not isinstance(path, str) or not path.startswith("/") or path.startswith("//"):
        raise InvalidArgumentError(
            f"path: expected an absolute path such as /v1/campaigns, got {path!r}"
        )
    # Servers and proxies resolve dot segments even where they are percent-quoted.
    segments = unquote(path.partition("?")[0]).split("/")
    if "#" in path or any(segment in {".", ".."} for segment in segments) or not path.isprintable():
        raise InvalidArgumentError("path: has a dot segment, a fragment or a control character")
