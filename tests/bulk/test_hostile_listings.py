"""`list_all` against servers that are written against it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucherify_async import PaginationError, ResponseValidationError
from voucherify_async._protocol.listings import Cursor, EndDate, Listing, open_envelope
from voucherify_async._protocol.windows import Windows

from ..listing_server import ListingServer, at
from ..resources.support import Wire

BOUNDS = [(how, by) for how in ("exclusive", "inclusive") for by in ("ms", "s")]


def walk(server: ListingServer, limit: int = 10, concurrency: int = 1) -> list[str]:
    """Walk a server as the paginator does, and return the ids in the order in which they come."""
    query: Mapping[str, Any] = {"limit": limit, "page": 1, "order": "created_at"}
    scheme = Windows(query, concurrency, unique_order="code", way_on="")
    seen: list[str] = []
    ahead: list[tuple[Mapping[str, Any], Any]] = []

    def read(query: Mapping[str, Any]) -> Any:
        return open_envelope(server.answer(query), "vouchers")

    query = scheme.begin(query, read(scheme.survey(query)))
    while True:
        if ahead and ahead[0][0] != query:
            ahead.clear()
        turn = scheme.turn(query, ahead.pop(0)[1] if ahead else read(query))
        seen += [item["id"] for _, item in turn.items]
        if isinstance(turn.step, Exception):
            raise turn.step
        if turn.step is None:
            return seen
        query = turn.step
        ahead += [(q, read(q)) for q in scheme.ahead(query, concurrency)[len(ahead) :]]


class Writer:
    """Deletes, hides and shows vouchers beside a walk, and knows which were there all the time."""

    def __init__(self, kind: str, random: Random) -> None:
        self.touched: set[str] = set()
        self._kind = kind
        self._random = random
        self._hidden: dict[str, datetime] = {}

    def __call__(self, server: ListingServer) -> None:
        """Change something, or not."""
        if not server.items or self._random.random() > 0.3:
            return
        if self._kind == "create":
            if len(server.requests) > 1:
                newest = max(server.items.values())
                server.items[f"new{len(server.requests)}"] = newest + timedelta(milliseconds=1)
            return
        gone = self._random.choice(list(server.items))
        self._hidden[gone] = server.items.pop(gone)
        self.touched.add(gone)
        if self._kind == "swap":
            # One match enters exactly as another one leaves, so that the total stands still.
            back = self._random.choice(list(self._hidden))
            server.items[back] = self._hidden.pop(back)


@given(
    seed=st.integers(0, 2**32),
    alone=st.integers(0, 150),
    spread=st.sampled_from([0, 0.03, 1, 7, 300, 2000]),
    crowd=st.sampled_from([0, 15, 60]),
    ties=st.sampled_from(["fixed", "random"]),
    knows_code=st.booleans(),
    bounds=st.sampled_from(BOUNDS),
    writer=st.sampled_from(["nobody", "create", "delete", "swap"]),
    concurrency=st.sampled_from([1, 3]),
    limit=st.sampled_from([1, 10, 23]),
)
def test_nothing_lost_and_nothing_twice(
    seed: int,
    alone: int,
    spread: float,
    crowd: int,
    ties: str,
    knows_code: bool,
    bounds: tuple[str, str],
    writer: str,
    concurrency: int,
    limit: int,
) -> None:
    """Whatever the ties, the bounds and a writer beside: each comes once, or the walk raises."""
    random = Random(seed)
    items = {f"i{n}": at(n * spread) for n in range(alone)}
    moment = random.choice(list(items.values())) if items else at(0)
    items |= {f"c{n}": moment for n in range(crowd)}
    beside = None if writer == "nobody" else Writer(writer, random)
    server = ListingServer(dict(items), ties, knows_code, bounds, beside, random=random)
    try:
        seen = walk(server, limit, concurrency)
    except PaginationError:
        assert beside is not None
        return
    assert len(seen) == len(set(seen))
    assert set(seen) <= set(items)
    assert set(items) - (beside.touched if beside else set()) <= set(seen)


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("bounds", BOUNDS)
def test_oldest_first(concurrency: int, bounds: tuple[str, str]) -> None:
    """Where the server keeps ties in order, vouchers come oldest first."""
    server = ListingServer({f"i{n}": at(n * 40) for n in range(300)}, bounds=bounds)
    assert walk(server, concurrency=concurrency) == [f"i{n}" for n in range(300)]


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("knows_code", [True, False])
def test_crowd_in_no_fixed_order(concurrency: int, knows_code: bool) -> None:
    """Vouchers of one instant, at each request with their ties in another order, all come once."""
    crowd = 1500 if knows_code else 500
    items = {f"c{n}": at(5) for n in range(crowd)} | {f"i{n}": at(n) for n in range(20)}
    server = ListingServer(items, "random", knows_code)
    seen = walk(server, 100 if knows_code else 50, concurrency)
    assert sorted(seen) == sorted(items)
    assert len(server.requests) < (60 if knows_code else 250)


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize(
    "total", [lambda total: total + 7, lambda total: total - 7, lambda _: 3000]
)
def test_total_that_is_wrong(concurrency: int, total: Callable[[int], int]) -> None:
    """Pages that never add up to the total raise, after a bounded number of looks."""
    server = ListingServer({f"i{n}": at(n * 40) for n in range(100)}, total=total)
    with pytest.raises(PaginationError, match="total"):
        walk(server, concurrency=concurrency)
    assert len(server.requests) < 400


def test_one_leaves_as_another_enters() -> None:
    """A match that leaves behind the page at hand, while another enters ahead, hides none."""
    items = {f"i{n:03}": at(n) for n in range(400)}

    def swap(server: ListingServer) -> None:
        if len(server.requests) == 4:
            del server.items["i003"]
            server.items["i390b"] = at(390)

    seen = walk(ListingServer(items, beside=swap), 100, concurrency=4)
    assert set(seen) >= {f"i{n:03}" for n in range(400)} - {"i003"}


def test_end_of_the_calendar() -> None:
    """A voucher of the year 9999 or 1 is listed like any other."""
    last = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    items = {f"i{n}": at(n) for n in range(30)} | {"last": last}
    items["first"] = datetime(1, 1, 1, tzinfo=UTC)
    assert sorted(walk(ListingServer(items))) == sorted(items)


@pytest.mark.anyio
@pytest.mark.parametrize("concurrency", [1, 4])
async def test_hostile_listing_over_the_wire(concurrency: int) -> None:
    """The paginator walks a server with ties at random to its end, at any concurrency."""
    items = {f"c{n}": at(5) for n in range(250)} | {f"i{n}": at(n * 9) for n in range(90)}
    server = ListingServer(dict(items), "random")

    def answer(request: httpx.Request) -> httpx.Response:
        query = {key: value[0] for key, value in parse_qs(request.url.query.decode()).items()}
        names = {"after": query.get("created_at[after]"), "before": query.get("created_at[before]")}
        bounds = {name: bound for name, bound in names.items() if bound}
        return httpx.Response(
            200, content=json.dumps(server.answer({**query, "created_at": bounds}))
        )

    listing = Wire(answer).client().vouchers.list_all(limit=50, concurrency=concurrency)
    assert sorted(str(voucher.id) for voucher in await listing.collect()) == sorted(items)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "path"),
    [
        ({"vouchers": []}, "$.total"),
        ({"vouchers": [{"created_at": "2026-01-01T00:00:00Z"}], "total": 1}, "$.vouchers[0].id"),
        ({"vouchers": [{"id": "a"}], "total": 1}, "$.vouchers[0].created_at"),
        ({"total": 0}, "$.vouchers"),
    ],
)
async def test_answers_that_cannot_be_held_against_anything(answer: Any, path: str) -> None:
    """A page without its total, its array, or an item's id or instant raises."""
    with pytest.raises(ResponseValidationError) as caught:
        await Wire(answer).client().vouchers.list_all().collect()
    assert path in str(caught.value)


def test_cursor_in_a_body() -> None:
    """A cursor goes where the endpoint takes it; the listing may stand inside an object."""
    listing = Listing("data", Cursor, under="redeemables")
    page = {"data_ref": "data", "data": [{"id": "a"}], "has_more": True, "more_starting_after": "t"}
    envelope = listing.open({"redeemables": page, "order": {"amount": 1}})
    assert (envelope.key, envelope.extra) == ("redeemables.data", {"order": {"amount": 1}})
    scheme = Cursor("options.starting_after", limit="options.limit", by_id=False)
    body = {"scenario": "ALL", "options": {"limit": 50}}
    turn = scheme.turn(body, envelope)
    assert turn.step == {"scenario": "ALL", "options": {"limit": 50, "starting_after": "t"}}
    assert body == {"scenario": "ALL", "options": {"limit": 50}}
    assert isinstance(scheme.turn(body, envelope).step, PaginationError)
    with pytest.raises(ResponseValidationError, match=r"\$\.redeemables\.data"):
        listing.open({"redeemables": {"total": 0}})


def test_instant_under_another_name() -> None:
    """A cursor that is an instant goes under the name that the endpoint gives it."""
    items = [{"id": "a", "created_at": "2026-01-01T00:00:00Z"}]
    envelope = open_envelope({"customers": items, "has_more": True}, "customers")
    step = EndDate("starting_after").turn({"limit": 1}, envelope).step
    moment = datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert step == {"limit": 2, "starting_after": moment}
