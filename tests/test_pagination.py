"""Listings: walked lazily, one page ahead, never silently short."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Iterable
from typing import Any, TypeVar

import anyio
import anyio.lowlevel
import httpx
import pytest

import voucherify_async as v
from voucherify_async import AsyncVoucherify, InvalidArgumentError, PaginationError
from voucherify_async.testing import FakeVoucherify

from .resources.support import Wire, settle

pytestmark = pytest.mark.anyio


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
    wire = Wire({"vouchers": [{"code": "A"}]})
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
        ([{"vouchers": [{}, {}], "total": 5}, {"vouchers": [], "total": 5}], [2, 0]),
        ([{"vouchers": [{}, {}]}, {"vouchers": [{}]}], [2, 1]),
        ([{"vouchers": [{}, {}]}, {"vouchers": []}], [2, 0]),
        ([{"vouchers": [{}, {}], "total": None, "has_more": False}], [2]),
        ([{"vouchers": [{}], "has_more": True}, {"vouchers": [{}], "has_more": False}], [1, 1]),
        ([{"data_ref": "data", "data": [{}], "total": 1}], [1]),
        ([{"data_ref": "missing", "vouchers": [{}], "total": 1}], [1]),
        ([{"data_ref": None, "vouchers": [{}], "total": "1", "has_more": "yes"}], [1]),
    ],
    ids=[
        "empty page in the middle",
        "total missing",
        "total missing and an empty page",
        "has_more in place of a total",
        "has_more with short pages",
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
    assert len(wire.requests) == len(sizes)


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
        ([card_page("a", "b", has_more=True), card_page(has_more=True)], [None, "b"]),
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


def actions(*stamps: tuple[str, int | None], **rest: Any) -> dict[str, Any]:
    """A page of async actions: ids and milliseconds."""
    return {
        "data_ref": "async_actions",
        "async_actions": [
            {"id": id_, "created_at": ms and f"2025-01-01T00:00:00.{ms:03}Z"} for id_, ms in stamps
        ],
        **rest,
    }


def end_dates(wire: Wire) -> list[str | None]:
    """The fractions of the seconds of the end dates that were asked for."""
    asked = [request.url.params.get("end_date") for request in wire.requests]
    return [date and date.removeprefix("2025-01-01T00:00:00.") for date in asked]


@pytest.mark.parametrize("has_more", [{"has_more": True}, {}], ids=["has_more", "no has_more"])
async def test_equal_instants_at_a_seam(has_more: dict[str, bool]) -> None:
    """Actions of one instant on both sides of a seam come once each, and none is lost."""
    wire = Wire(
        actions(("a", 9), ("b", 7), ("c", 7), **has_more),
        actions(("b", 7), ("c", 7), ("d", 7), **has_more),
        actions(("d", 7), has_more=False),
    )
    listing = wire.client().async_actions.list(limit=3)
    seen: list[v.AsyncAction] = []
    with pytest.raises(PaginationError, match="larger limit"):
        await walk(listing, seen)
    assert [action.id for action in seen] == ["a", "b", "c", "d"]
    assert end_dates(wire) == [None, "008Z"]


async def test_seam_of_async_actions() -> None:
    """The next page overlaps the last by a millisecond, and what was seen is left out."""
    wire = Wire(
        actions(("a", 9), ("b", 7)),
        actions(("b", 7), ("c", 5)),
        actions(("c", 5), ("d", 5), has_more=False),
    )
    found = await wire.client().async_actions.list(limit=2).collect()
    assert [action.id for action in found] == ["a", "b", "c", "d"]
    assert end_dates(wire) == [None, "008Z", "006Z"]


async def test_async_action_without_an_instant() -> None:
    """A full page whose last action has no instant cannot be walked on from."""
    wire = Wire(actions(("a", 9), ("b", None)))
    with pytest.raises(PaginationError, match="no created_at"):
        await wire.client().async_actions.list(limit=2).collect()


async def test_server_that_ignores_the_end_date() -> None:
    """A server that answers the same page again is found out."""
    wire = Wire(actions(("a", 9), ("b", 7), has_more=True))
    with pytest.raises(PaginationError, match="share the instant"):
        await wire.client().async_actions.list(limit=2).collect()
    assert len(wire.requests) == 2


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
