"""Listings: walked lazily, one page ahead, never silently short."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeVar

import anyio
import anyio.lowlevel
import httpx
import pytest
from attrs import define, field

import voucherify_async as v
from voucherify_async import AsyncVoucherify, InvalidArgumentError, PaginationError
from voucherify_async.testing import FakeVoucherify

from .listing_server import at
from .resources.support import Wire, settle

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=2)]


T = TypeVar("T")


def codes(vouchers: Iterable[v.Voucher]) -> list[str | None]:
    """The codes of vouchers."""
    return [voucher.code for voucher in vouchers]


@pytest.fixture
def fake() -> FakeVoucherify:
    """A server with 23 vouchers: A00 to A22, the newest first in its listing."""
    fake = FakeVoucherify()
    fake.add_vouchers({"code": f"A{i:02}"} for i in range(23))
    return fake


@pytest.fixture
async def client(fake: FakeVoucherify) -> AsyncIterator[AsyncVoucherify]:
    """A client of that server, in process."""
    async with fake, fake.client(retry=None) as client:
        yield client


async def walk(listing: v.AsyncPaginator[T], seen: list[T]) -> None:
    """Note every item that comes before the error."""
    async for item in listing:
        seen.append(item)


def pages_asked(fake: FakeVoucherify) -> list[int]:
    """The page numbers that arrived."""
    return [int(dict(request.query)["page"]) for request in fake.requests]


async def test_nothing_is_sent_until_used(fake: FakeVoucherify, client: AsyncVoucherify) -> None:
    """Making a listing, and asking it for an iterator, sends nothing."""
    listing = client.vouchers.list(limit=10)
    aiter(listing)
    listing.pages()
    assert fake.requests == []
    assert repr(listing) == "AsyncPaginator({'limit': 10, 'page': 1})"


async def test_faces_agree(fake: FakeVoucherify, client: AsyncVoucherify) -> None:
    """Items, pages and collect() go over the same vouchers, and each starts again."""
    listing = client.vouchers.list(limit=10, order="code")
    expected = [f"A{i:02}" for i in range(23)]
    for _ in range(2):
        assert codes([voucher async for voucher in listing]) == expected
    pages = [page async for page in listing.pages()]
    assert [len(page) for page in pages] == [10, 10, 3]
    assert [page.has_more for page in pages] == [True, True, False]
    assert [page.total for page in pages] == [23, 23, 23]
    assert codes(voucher for page in pages for voucher in page) == expected
    assert codes(await listing.collect()) == expected
    assert pages_asked(fake) == [1, 2, 3] * 4


async def test_first_page(fake: FakeVoucherify, client: AsyncVoucherify) -> None:
    """Awaiting a listing reads its first page, as often as it is awaited, and says what follows."""
    listing = client.vouchers.list(limit=10, page=2, order="code")
    for _ in range(2):
        page = await listing
        assert codes(page)[0] == "A10"
        assert page.query == {"limit": 10, "page": 2, "order": "code"}
        assert page.next_query == {"limit": 10, "page": 3, "order": "code"}
    assert len(fake.requests) == 2


@pytest.mark.parametrize(
    ("max_items", "items", "requests"),
    [(0, 0, 0), (1, 1, 1), (10, 10, 1), (11, 11, 2), (20, 20, 2), (23, 23, 3), (99, 23, 3)],
)
async def test_max_items(
    fake: FakeVoucherify, client: AsyncVoucherify, max_items: int, items: int, requests: int
) -> None:
    """A bound ends the walk without a request too many, given to list() or to collect()."""
    assert len(await client.vouchers.list(limit=10, max_items=max_items).collect()) == items
    assert len(fake.requests) == requests
    assert len(await client.vouchers.list(limit=10).collect(max_items)) == items
    assert len(fake.requests) == 2 * requests


async def test_bad_bound_of_collect(client: AsyncVoucherify) -> None:
    """collect() refuses a bound that makes no sense."""
    with pytest.raises(InvalidArgumentError, match="max_items"):
        await client.vouchers.list().collect(-1)


@pytest.mark.parametrize(
    ("prefetch", "seen"), [(1, [1, 3, 4, 5, 5]), (0, [1, 2, 3, 4, 5]), (3, [1, 5, 5, 5, 5])]
)
async def test_reading_ahead(
    fake: FakeVoucherify, client: AsyncVoucherify, prefetch: int, seen: list[int]
) -> None:
    """The page after the second is read while the caller has the second; prefetch says how many."""
    counts = []
    async for _ in client.vouchers.list(limit=5, prefetch=prefetch).pages():
        await settle()
        counts.append(len(fake.requests))
    assert counts == seen
    assert sorted(pages_asked(fake)) == [1, 2, 3, 4, 5]


async def test_reading_ahead_by_cursor(fake: FakeVoucherify, client: AsyncVoucherify) -> None:
    """By cursor one page is ahead, however many are asked for."""
    fake.add_voucher(code="CARD", gift={"amount": 100})
    for _ in range(5):
        await client.vouchers.update_balance("CARD", 1)
    fake.clear_requests()
    counts = []
    async for _ in client.transactions.list("CARD", limit=1, prefetch=3).pages():
        await settle()
        counts.append(len(fake.requests))
    assert counts[:3] == [1, 3, 4]
    assert max(counts) == counts[-1] == len(counts)


@pytest.mark.parametrize("wait", [True, False])
async def test_leaving_a_loop_ends_the_reading_ahead(
    fake: FakeVoucherify, client: AsyncVoucherify, wait: bool
) -> None:
    """Who breaks off leaves no task behind, also where the page ahead never comes."""
    fault = fake.faults.stall(path="/v1/vouchers$", after=2)
    async for page in client.vouchers.list(limit=5).pages():
        if page.query["page"] == 2:
            if wait:
                await settle()
                assert fault.waiting == 1
            break
    await settle()
    gc.collect()
    assert fault.waiting == 0
    assert pages_asked(fake) == ([1, 2, 3] if wait else [1, 2])
    fault.release()
    assert (await client.vouchers.get("A00")).code == "A00"


async def test_cancelling_a_walk(fake: FakeVoucherify, client: AsyncVoucherify) -> None:
    """A walk that is cancelled while it waits for the page ahead ends it too."""
    fault = fake.faults.stall(path="/v1/vouchers$", after=2)
    seen = 0
    with anyio.move_on_after(0.05) as scope:
        async for _ in client.vouchers.list(limit=5):
            seen += 1
    assert scope.cancelled_caught
    assert seen == 10
    await settle()
    assert fault.waiting == 0


async def test_iterator_can_be_closed(fake: FakeVoucherify, client: AsyncVoucherify) -> None:
    """An iterator can be closed like a generator, and then gives nothing more."""
    listing = client.vouchers.list(limit=5)
    items: Any = aiter(listing)
    pages: Any = listing.pages()
    for iterator in (items, pages):
        assert await anext(iterator)
        await iterator.aclose()
        assert await anext(iterator, None) is None
    assert aiter(items) is items
    assert len(fake.requests) == 2


async def test_one_walk_belongs_to_one_task(fake: FakeVoucherify, client: AsyncVoucherify) -> None:
    """Two tasks on one iterator are told so, where each would get the same page."""
    fault = fake.faults.stall(path="/v1/vouchers$")
    pages: Any = client.vouchers.list(limit=5).pages()
    async with anyio.create_task_group() as group:
        group.start_soon(pages.__anext__)
        await settle()
        with pytest.raises(RuntimeError, match="one task"):
            await anext(pages)
        fault.release()


async def test_error_of_the_page_ahead(fake: FakeVoucherify, client: AsyncVoucherify) -> None:
    """An error in the reading ahead comes when the caller gets there, and ends the walk."""
    fake.faults.status(403, path="/v1/vouchers$", after=2)
    pages = client.vouchers.list(limit=5).pages()
    assert len(await anext(pages)) == 5
    assert len(await anext(pages)) == 5
    await settle()
    assert len(fake.requests) == 3
    with pytest.raises(v.PermissionDeniedError):
        await anext(pages)
    assert [page async for page in pages] == []


async def test_error_of_the_first_page(client: AsyncVoucherify) -> None:
    """An error of the first page comes when it is asked for."""
    with pytest.raises(v.NotFoundError):
        await client.transactions.list("NONE")
    with pytest.raises(v.NotFoundError):
        await client.transactions.list("NONE").collect()


async def test_page_99_is_the_last(fake: FakeVoucherify, client: AsyncVoucherify) -> None:
    """Past page 99 a walk raises after its last item, and names the way on."""
    fake.add_vouchers({"code": f"B{i}"} for i in range(177))
    seen: list[v.Voucher] = []
    with pytest.raises(v.PaginationLimitError, match=r"198 of 200 .* created_at=") as caught:
        await walk(client.vouchers.list(limit=2, page=98), seen)
    assert len(seen) == 4
    assert (caught.value.page, caught.value.total) == (99, 200)
    last = await client.vouchers.list(limit=2, page=99)
    assert (last.has_more, last.next_query) == (True, None)
    assert len(await client.vouchers.list(limit=2, page=99, max_items=2).collect()) == 2


async def test_exactly_99_pages(fake: FakeVoucherify, client: AsyncVoucherify) -> None:
    """A listing that ends with page 99 is complete."""
    fake.add_vouchers({"code": f"B{i}"} for i in range(175))
    assert len(await client.vouchers.list(limit=2, page=99).collect()) == 2


async def test_page_ceiling_without_a_total() -> None:
    """A full page 99 of a listing without a total raises as well."""
    wire = Wire({"vouchers": [{"code": "A"}]}, {"vouchers": [{"code": "B"}]})
    with pytest.raises(v.PaginationLimitError, match="99 of more items"):
        await wire.client().vouchers.list(limit=1, page=98).collect()
    assert len(wire.requests) == 2


async def test_export_ceiling() -> None:
    """Exports are served up to page 100."""
    wire = Wire({"exports": [{"id": "exp_1"}], "total": 101})
    with pytest.raises(v.PaginationLimitError, match="no page after 100"):
        await wire.client().exports.list(limit=1, page=100).collect()


@pytest.mark.parametrize(
    ("answers", "sizes"),
    [
        ([{"vouchers": [{}, {}]}, {"vouchers": [{}]}], [2, 1]),
        ([{"vouchers": [{}, {}]}, {"vouchers": []}], [2, 0]),
        ([{"vouchers": [{}, {}], "total": None, "has_more": False}], [2]),
        ([{"vouchers": [{}], "has_more": True}, {"vouchers": [{}], "has_more": False}], [1, 1]),
        ([{"vouchers": [{}], "total": 1, "has_more": True}, {"vouchers": [], "total": 1}], [1, 0]),
        ([{"vouchers": [{}], "total": 2}, {"vouchers": [{}, {}], "total": 3}], [1, 2]),
        (
            [
                {"vouchers": [{}], "total": 2},
                {"vouchers": [], "total": 2},
                {"vouchers": [{}], "total": 2},
            ],
            [1, 1],
        ),
        ([{"data_ref": "data", "data": [{}], "total": 1}], [1]),
        ([{"data_ref": "missing", "vouchers": [{}], "total": 1}], [1]),
        ([{"data_ref": None, "vouchers": [{}], "total": "1", "has_more": "yes"}], [1]),
    ],
    ids=[
        "total missing",
        "total missing and an empty page",
        "has_more in place of a total",
        "has_more with short pages",
        "has_more against the total",
        "pages that are shorter than asked for",
        "a page that is empty once",
        "array under another key",
        "wrong name of the key",
        "fields of other types",
    ],
)
async def test_ends_of_pages(answers: list[Any], sizes: list[int]) -> None:
    """A listing by page number ends where its answers say so, in whichever way."""
    wire = Wire(*answers, httpx.Response(500))
    pages = [page async for page in wire.client().vouchers.list(limit=2).pages()]
    assert [len(page) for page in pages] == sizes
    assert len(wire.requests) >= len(sizes)
    assert all(request.url.path == "/v1/vouchers" for request in wire.requests)


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([{"vouchers": [{"id": "a"}], "total": 9}], "Page 2 repeats"),
        ([{"vouchers": [{"id": "a"}], "has_more": True}], "Page 2 repeats"),
        ([{"vouchers": [{}], "total": 5}, {"vouchers": [], "total": 5}], "Page 2 is empty.*1 of 5"),
        ([{"vouchers": [], "total": 5}], "Page 1 is empty.*0 of 5"),
        ([{"vouchers": [{}]}, {"vouchers": [], "has_more": True}], "Page 2 is empty.*1 of more"),
    ],
)
async def test_pages_that_do_not_add_up(answers: list[Any], message: str) -> None:
    """A page that comes again, or stays empty where there is more, raises at its second look."""
    wire = Wire(*answers)
    with pytest.raises(PaginationError, match=message):
        await wire.client().vouchers.list(limit=1).collect()
    assert len(wire.requests) <= 3


def card_page(*ids: str | None, **rest: Any) -> dict[str, Any]:
    """A page of transactions."""
    return {"data_ref": "data", "data": [{"id": id_} for id_ in ids], **rest}


@pytest.mark.parametrize(
    ("answers", "cursors"),
    [
        (
            [card_page("a", "b", has_more=True, more_starting_after="b"), card_page("c")],
            [None, "b"],
        ),
        ([card_page("a", "b", has_more=True), card_page("c", has_more=False)], [None, "b"]),
        ([card_page("a", "b"), card_page("c")], [None, "b"]),
        ([card_page("a", more_starting_after="x"), card_page("c")], [None, "x"]),
        ([card_page("a", "b", has_more=False, more_starting_after="b")], [None]),
        (
            [
                card_page("a", has_more=True),
                card_page(has_more=True, more_starting_after="x"),
                card_page("b", has_more=False),
            ],
            [None, "a", "x"],
        ),
        ([card_page()], [None]),
    ],
    ids=[
        "by the documented cursor",
        "has_more without a cursor",
        "neither, and a full page",
        "a cursor without has_more",
        "a cursor at the end",
        "an empty page that has more",
        "nothing",
    ],
)
async def test_cursors(answers: list[Any], cursors: list[str | None]) -> None:
    """The next page is asked for by the cursor, or by the last item where none is named."""
    wire = Wire(*answers, httpx.Response(500))
    await wire.client().transactions.list("A", limit=2).collect()
    asked = [request.url.params.get("starting_after_id") for request in wire.requests]
    assert asked == cursors


@pytest.mark.parametrize(
    ("answers", "requests"),
    [
        ([card_page("a", has_more=True, more_starting_after="a")], 2),
        (
            [
                card_page("a", has_more=True, more_starting_after="x"),
                card_page("b", has_more=True, more_starting_after="y"),
                card_page("c", has_more=True, more_starting_after="x"),
            ],
            3,
        ),
    ],
    ids=["a page that never ends", "a circle"],
)
async def test_repeated_cursor(answers: list[Any], requests: int) -> None:
    """A server that repeats a cursor is not followed for ever."""
    wire = Wire(*answers)
    with pytest.raises(PaginationError, match="repeats the cursor"):
        await wire.client().transactions.list("A", limit=1).collect()
    assert len(wire.requests) == requests


async def test_empty_pages_without_end() -> None:
    """A server that names ever new cursors for empty pages is not followed for ever."""
    pages = [card_page(has_more=True, more_starting_after=str(page)) for page in range(150)]
    wire = Wire(*pages, card_page())
    with pytest.raises(PaginationError, match="100 pages in a row are empty"):
        await wire.client().transactions.list("A").collect()
    assert len(wire.requests) == 100


async def test_cursor_given_by_the_caller_is_repeated() -> None:
    """A server that ignores the caller's own cursor is found out as well."""
    wire = Wire(card_page("a", has_more=True, more_starting_after="a"))
    listing = wire.client().transactions.list("A", starting_after_id="a")
    with pytest.raises(PaginationError, match="repeats the cursor 'a'"):
        await listing.collect()
    assert len(wire.requests) == 1


@pytest.mark.parametrize("last", [None, ""])
async def test_no_way_on(last: str | None) -> None:
    """More without any cursor raises after the items that came."""
    wire = Wire(card_page("a", last, has_more=True))
    seen: list[v.VoucherTransaction] = []
    with pytest.raises(PaginationError, match="names no cursor"):
        await walk(wire.client().transactions.list("A"), seen)
    assert len(seen) == 2


@define
class ActionServer:
    """Lists actions up to an instant that it compares by a span; ties come in any order."""

    made: dict[str, datetime]
    by: timedelta
    has_more: bool
    random: Random = field(factory=lambda: Random(7))

    def answer(self, request: httpx.Request) -> httpx.Response:
        """A page."""
        query = request.url.params
        end, limit = query.get("end_date"), int(query["limit"])
        assert 1 <= limit <= 100
        found = [
            (id_, moment)
            for id_, moment in self.made.items()
            if end is None or self._cut(moment) < self._cut(datetime.fromisoformat(end))
        ]
        self.random.shuffle(found)
        found.sort(key=lambda item: item[1], reverse=True)
        shown = [{"id": id_, "created_at": at.isoformat()} for id_, at in found[:limit]]
        has_more = {"has_more": len(found) > limit} if self.has_more else {}
        return httpx.Response(200, json={"async_actions": shown, **has_more})

    def _cut(self, moment: datetime) -> int:
        return (moment - at(-10_000)) // self.by


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
@pytest.mark.parametrize("by", [timedelta(milliseconds=1), timedelta(seconds=1)])
@pytest.mark.parametrize("has_more", [True, False])
async def test_actions_of_one_instant(limit: int, by: timedelta, has_more: bool) -> None:
    """Actions of one instant come once each, whatever the page, the order of ties and the bound."""
    instants = [0, 0, 0, 1, 1, 700, 1500, 1500, 2200]
    made = {f"a{n}": at(milliseconds) for n, milliseconds in enumerate(instants)}
    wire = Wire(ActionServer(made, by, has_more=has_more).answer)
    found = await wire.client().async_actions.list(limit=limit).collect()
    assert sorted(str(action.id) for action in found) == sorted(made)
    assert len(wire.requests) < 20


async def test_more_actions_of_one_instant_than_a_page_holds() -> None:
    """More actions of one instant than the API's pages hold are told of."""
    made = {f"a{n}": at(0) for n in range(101)}
    wire = Wire(ActionServer(made, timedelta(seconds=1), has_more=False).answer)
    with pytest.raises(PaginationError, match=r"share the instant 2026.* than a page holds"):
        await wire.client().async_actions.list().collect()


@pytest.mark.parametrize("missing", ["id", "created_at"])
async def test_action_that_cannot_be_walked_on_from(missing: str) -> None:
    """Where the listing goes on, each action needs an id and an instant."""
    full = {"id": "a", "created_at": at(0).isoformat()}
    answer = {"async_actions": [{k: text for k, text in full.items() if k != missing}]}
    with pytest.raises(PaginationError, match="no id or no created_at"):
        await Wire(answer).client().async_actions.list(limit=1).collect()


async def test_server_that_ignores_the_end_date() -> None:
    """A server that answers the same page again is found out."""
    actions = [{"id": id_, "created_at": at(0).isoformat()} for id_ in "ab"]
    wire = Wire({"async_actions": actions, "has_more": True})
    with pytest.raises(PaginationError, match="share the instant"):
        await wire.client().async_actions.list(limit=2).collect()
    assert len(wire.requests) < 6


async def test_one_action_a_page(fake: FakeVoucherify, client: AsyncVoucherify) -> None:
    """With one action a page the walk goes on too."""
    for _ in range(3):
        await client.vouchers.update_metadata_in_bulk(["A00"], {"n": 1})
    assert len(await client.async_actions.list(limit=1).collect()) == 3


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"vouchers": [{}, {}, {}, {"gift": {"balance": 1.5}}]}, "$.vouchers[3].gift.balance"),
        ({"data_ref": "data", "data": [{"code": 1}]}, "$.data[0].code"),
        ({"vouchers": ["A"]}, "$.vouchers[0]"),
        ({"vouchers": {"A": {}}}, "$.vouchers"),
        ({"vouchers": None, "total": 0}, "$.vouchers"),
        ({"total": 0}, "$.vouchers"),
        ({"data_ref": "data", "total": 0}, "$.vouchers"),
        ({}, "$.vouchers"),
        ([], "$"),
        (None, "$"),
    ],
)
async def test_misfits_in_a_listing(body: Any, path: str) -> None:
    """A misfit in a listing is told with its path in the whole answer."""
    with pytest.raises(v.ResponseValidationError) as caught:
        await Wire(body).client().vouchers.list()
    assert caught.value.json_path == path


async def test_unknown_keys_of_a_page_are_kept() -> None:
    """What the answer of a listing says besides is in `extra`."""
    wire = Wire({"object": "list", "vouchers": [], "total": 0, "note": "n"})
    assert (await wire.client().vouchers.list()).extra == {"note": "n"}


async def test_options_go_with_every_page() -> None:
    """A timeout for the call holds for each page."""
    wire = Wire({"vouchers": [{}], "total": 2})
    await wire.client().vouchers.list(limit=1, timeout=7).collect()
    assert [r.extensions["timeout"]["read"] for r in wire.requests] == [7, 7]
