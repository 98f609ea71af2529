"""A listing server that is written against the walks: pure, on lists, without an event loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from attrs import define, field

START = datetime(2026, 1, 1, 12, 0, 0, 300_000, tzinfo=UTC)


def at(milliseconds: float) -> datetime:
    """An instant."""
    return START + timedelta(milliseconds=milliseconds)


@define
class ListingServer:
    """Serves vouchers by page number as the API does, and as nastily as it is told to.

    Attributes:
        items: Instants by id.
        ties: How equal keys are ordered: "fixed", or "random" at each request.
        knows_code: Whether `order=code` is honoured; otherwise it counts as all equal.
        bounds: How `after` and `before` are compared: "exclusive" or "inclusive", by "ms" or "s".
        beside: What a writer does before each answer.
        total: Makes the total that is told from the true one.
    """

    items: dict[str, datetime]
    ties: str = "fixed"
    knows_code: bool = True
    bounds: tuple[str, str] = ("exclusive", "ms")
    beside: Callable[[ListingServer], None] | None = None
    total: Callable[[int], int] = lambda total: total
    random: Random = field(factory=lambda: Random(1))
    requests: list[dict[str, Any]] = field(factory=list)

    def answer(self, query: Mapping[str, Any]) -> dict[str, Any]:
        """A page."""
        self.requests.append(dict(query))
        if self.beside is not None:
            self.beside(self)
        bounds = query.get("created_at") or {}
        found = [
            (id_, moment)
            for id_, moment in self.items.items()
            if self._is_in(moment, bounds.get("after"), bounds.get("before"))
        ]
        if self.ties == "random":
            self.random.shuffle(found)
        order = query["order"]
        if order == "code":
            found.sort(key=lambda item: item[0] if self.knows_code else "")
        else:
            found.sort(key=lambda item: item[1], reverse=order.startswith("-"))
        page, limit = int(query["page"]), int(query["limit"])
        assert 1 <= page <= 99, query
        assert 1 <= limit <= 100, query
        shown = found[(page - 1) * limit : page * limit]
        return {
            "data_ref": "vouchers",
            "vouchers": [
                {"id": id_, "code": id_, "created_at": moment.isoformat()} for id_, moment in shown
            ],
            "total": self.total(len(found)),
        }

    def _is_in(self, moment: datetime, after: Any, before: Any) -> bool:
        how, by = self.bounds
        low, here, high = (
            None if bound is None else _cut(bound, by) for bound in (after, moment, before)
        )
        assert here is not None
        if how == "inclusive":
            return (low is None or here >= low) and (high is None or here <= high)
        return (low is None or here > low) and (high is None or here < high)


def _cut(moment: datetime | str, by: str) -> datetime:
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    return moment.replace(microsecond=0) if by == "s" else moment
