"""Instants on the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias

import typer

from .exits import USAGE, CommandError

Instant: TypeAlias = Annotated[
    str | None, typer.Option(metavar="INSTANT", help="Such as 2026-01-31 or 2026-01-31T12:00:00Z.")
]


def created_between(after: str | None, before: str | None) -> dict[str, Any] | None:
    """The bounds of a listing; None where there are none.

    Raises:
        CommandError: One is not an instant.
    """
    bounds = {
        "after": _instant("--created-after", after),
        "before": _instant("--created-before", before),
    }
    return {name: bound for name, bound in bounds.items() if bound} or None


def _instant(option: str, given: str | None) -> datetime | None:
    if given is None:
        return None
    try:
        instant = datetime.fromisoformat(given)
    except ValueError:
        raise CommandError(
            f"{option}: expected an instant such as 2026-01-31 or 2026-01-31T12:00:00Z", USAGE
        ) from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
