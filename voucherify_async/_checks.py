"""Checks of what callers hand in that need to know nothing of the API's types."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from .errors import InvalidArgumentError, VoucherifyError

MAX_LIMIT: Final = 100
_LONGEST: Final = 10**9
"""More seconds than anybody waits; a larger integer does not fit the arithmetic of clocks."""


def check_limit(limit: int, *, name: str = "limit", at_most: int = MAX_LIMIT) -> None:
    """Refuse a page size or number that the API would refuse.

    Raises:
        InvalidArgumentError: It is not an integer from 1 to `at_most`.
    """
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= at_most:
        raise InvalidArgumentError(
            f"{name}: expected an integer from 1 to {at_most}, got {limit!r}"
        )


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


def check_count(
    name: str, count: Any, *, error: type[VoucherifyError] = InvalidArgumentError
) -> None:
    """Refuse a count that is not an integer of at least 1.

    Raises:
        VoucherifyError: It is not; of the class `error`.
    """
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise error(f"{name}: expected an integer of at least 1, got {count!r}")


def check_page(page: int, *, at_most: int) -> None:
    """Refuse a page number that the API does not serve.

    Raises:
        InvalidArgumentError: It is not an integer from 1 to `at_most`.
    """
    check_limit(page, name="page", at_most=at_most)


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
    # To Python a bool is an int, and NaN is neither above 0 nor below anything.
    is_number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    is_enough = is_number and (seconds > 0 or (zero and seconds == 0))
    if not is_enough or not (seconds <= _LONGEST or (infinite and seconds == math.inf)):
        least = "of at least 0" if zero else "above 0"
        raise error(f"{name}: expected seconds {least}, got {seconds!r}")
