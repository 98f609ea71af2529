"""Imports whose answers are lost: what is proved to be theirs, and what is not."""

from __future__ import annotations

import copy
import csv
import io
import json
import pickle
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from voucherify_async import (
    AmbiguousOutcomeError,
    AsyncVoucherify,
    ImportInterruptedError,
    ImportReport,
    OpenImport,
    ResumePoint,
    from_dict,
    to_dict,
)
from voucherify_async.testing import FakeVoucherify

from .conftest import Skipping

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=1)]


def gifts(codes: Sequence[str], amount: int = 100) -> list[dict[str, Any]]:
    """Gift cards to import."""
    return [{"code": code, "type": "GIFT_VOUCHER", "gift": {"amount": amount}} for code in codes]


def numbered(first: int, last: int) -> list[str]:
    """Codes."""
    return [f"G-{number}" for number in range(first, last + 1)]


def posts(fake: FakeVoucherify) -> list[str]:
    """The paths of the imports that the server has seen."""
    return [request.path for request in fake.requests if request.method == "POST"]


def add_old(fake: FakeVoucherify, clock: Skipping, codes: Sequence[str]) -> None:
    """Let codes exist since yesterday."""
    yesterday = (clock.now() - timedelta(days=1)).isoformat()
    fake.add_vouchers({"code": code, "created_at": yesterday} for code in codes)


class Eventful(Skipping):
    """A clock at whose instants something happens."""

    def __init__(self) -> None:
        super().__init__()
        self.due: list[tuple[float, Callable[[], Awaitable[Any]]]] = []

    async def sleep(self, seconds: float) -> None:
        """Skip the wait; what was due meanwhile happens."""
        await super().sleep(seconds)
        while self.due and self.due[0][0] <= self.skipped:
            _, happen = self.due.pop(0)
            await happen()


@pytest.fixture
def clock() -> Eventful:
    """A clock on which nothing has to be waited for."""
    return Eventful()


@pytest.fixture
def client(fake: FakeVoucherify, clock: Eventful) -> AsyncVoucherify:
    """The client under test."""
    return fake.client(clock=clock)


@pytest.fixture
def other(fake: FakeVoucherify) -> AsyncVoucherify:
    """Another process, which imports too."""
    return fake.client()


@pytest.mark.parametrize("fault", ["reset", "disconnect", "timeout"])
async def test_what_is_absent_for_three_minutes_is_sent_again(
    fake: FakeVoucherify, client: AsyncVoucherify, clock: Eventful, fault: str
) -> None:
    """A request of which there is no trace is sent again after 180 seconds, and not before."""
    kind = ("read",) if fault == "timeout" else ()
    getattr(fake.faults, fault)(*kind, method="POST")
    sent_at: list[float] = []
    codes = numbered(1, 5)

    def note(report: ImportReport) -> None:
        if report.unknown:
            sent_at.append(clock.skipped)

    async with fake:
        report = await client.imports.stream(gifts(codes), on_progress=note)
    assert (report.done_count, report.failures, len(posts(fake))) == (5, (), 2)
    first, second = sent_at
    assert 180 <= second - first < 200


async def test_what_comes_late_is_not_sent_again(
    fake: FakeVoucherify, client: AsyncVoucherify, other: AsyncVoucherify, clock: Eventful
) -> None:
    """A request that a proxy delivers two and a half minutes after it broke off is waited for."""
    fake.faults.reset(method="POST")
    codes = numbered(1, 5)

    async def deliver() -> None:
        await other.imports.vouchers(gifts(codes))

    clock.due.append((150, deliver))
    async with fake:
        report = await client.imports.stream(gifts(codes))
    assert (report.done_count, report.failures, len(posts(fake))) == (5, (), 2)


@pytest.mark.parametrize(
    "theirs",
    [
        pytest.param(numbered(101, 110), id="other codes, as many"),
        pytest.param(numbered(6, 15), id="half of the codes, as many"),
        pytest.param([*numbered(1, 9), "OTHER"], id="all but the last code, as many"),
        pytest.param(["OTHER", *numbered(2, 10)], id="all but the first code, as many"),
        pytest.param(numbered(1, 11), id="one code more"),
        pytest.param(numbered(1, 9), id="one code less"),
    ],
)
async def test_another_process_s_job_is_not_taken(
    fake: FakeVoucherify,
    client: AsyncVoucherify,
    other: AsyncVoucherify,
    clock: Eventful,
    theirs: list[str],
) -> None:
    """Where another process imports at that moment, only what is ours is told as done."""
    fake.faults.reset(method="POST")
    codes = numbered(1, 10)
    jobs: list[str] = []

    async def interfere() -> None:
        jobs.append((await other.imports.vouchers(gifts(theirs, 7))).id)

    clock.due.append((0.1, interfere))
    async with fake:
        report = await client.imports.stream(gifts(codes))
    taken = [code for code in codes if code in theirs]
    assert not set(jobs) & set(report.job_ids)
    assert report.done_count == len(codes) - len(taken)
    assert [failure.code for failure in report.failures] == taken
    assert len(posts(fake)) == 3


@pytest.mark.parametrize("refused", [[], ["G-3"], ["G-33"]])
async def test_ours_is_found_among_others(
    fake: FakeVoucherify,
    client: AsyncVoucherify,
    other: AsyncVoucherify,
    clock: Eventful,
    refused: list[str],
) -> None:
    """A job that did as much at the same moment does not hide ours, nor what ours refused."""
    add_old(fake, clock, refused)
    fake.faults.lose_answer(method="POST")

    async def interfere() -> None:
        await other.imports.vouchers(gifts(numbered(101, 150)))

    clock.due.append((0.1, interfere))
    async with fake:
        report = await client.imports.stream(gifts(numbered(1, 50)))
    assert report.done_count == 50 - len(refused)
    assert [failure.code for failure in report.failures] == refused
    assert len(posts(fake)) == 2


async def test_neither_of_two_jobs_is_taken(
    fake: FakeVoucherify, client: AsyncVoucherify, other: AsyncVoucherify, clock: Eventful
) -> None:
    """Two jobs with the very same codes cannot be told apart; the error names both."""
    fake.faults.lose_answer(method="POST")
    jobs: list[str] = []

    async def interfere() -> None:
        jobs.append((await other.imports.vouchers(gifts(numbered(1, 5)))).id)

    clock.due.append((0.1, interfere))
    async with fake:
        with pytest.raises(ImportInterruptedError) as caught:
            await client.imports.stream(gifts(numbered(1, 5)))
    cause = caught.value.__cause__
    assert isinstance(cause, AmbiguousOutcomeError)
    assert jobs[0] in cause.__notes__[-1]
    assert len(posts(fake)) == 2


async def test_old_codes_prove_nothing(
    fake: FakeVoucherify, client: AsyncVoucherify, other: AsyncVoucherify, clock: Eventful
) -> None:
    """Codes that existed before the request are not taken for its work, even if changed since."""
    codes = numbered(1, 5)
    add_old(fake, clock, codes)
    fake.faults.reset(method="POST")

    async def interfere() -> None:
        await other.imports.vouchers(gifts([f"O-{number}" for number in range(5)]))
        for code in codes:
            await other.vouchers.update(code, {"category": "changed"})

    clock.due.append((0.1, interfere))
    async with fake:
        report = await client.imports.stream(gifts(codes))
    assert (report.done_count, report.failed_count) == (0, 5)
    assert len(posts(fake)) == 3


async def test_a_job_that_tells_nothing_is_settled_by_its_codes(
    fake: FakeVoucherify, client: AsyncVoucherify, clock: Eventful
) -> None:
    """Where a job has no counts and our codes were written since, nothing is sent again."""
    fake.faults.lose_answer(method="POST")

    async def forget() -> None:
        (action,) = fake._state.actions._actions.values()
        action.result = {"message": "done"}

    clock.due.append((0.1, forget))
    async with fake:
        with pytest.raises(ImportInterruptedError, match="POST /v1/vouchers/import") as caught:
            await client.imports.stream(gifts(numbered(1, 5)))
    assert caught.value.report.unknown == range(5)
    assert len(posts(fake)) == 1


async def test_a_job_that_failed_as_a_whole_is_sent_again(
    fake: FakeVoucherify, client: AsyncVoucherify
) -> None:
    """A lost request whose job failed without effect is sent again, once that is proved."""
    fake.faults.lose_answer(method="POST")
    fake.fail_next_action("the queue burst")
    async with fake:
        report = await client.imports.stream(gifts(numbered(1, 5)))
    assert (report.done_count, report.failures, len(posts(fake))) == (5, (), 2)


async def test_jobs_of_others_are_not_waited_for_without_bound(
    fake: FakeVoucherify, client: AsyncVoucherify, other: AsyncVoucherify, clock: Eventful
) -> None:
    """A job that may be ours and never ends leaves the items unknown after ten minutes."""
    fake.faults.reset(method="POST")
    fake.polls_until_done = 10**9

    async def interfere() -> None:
        await other.imports.vouchers(gifts(numbered(11, 15)))

    clock.due.append((0.1, interfere))
    items = gifts(numbered(1, 5))
    async with fake:
        with pytest.raises(ImportInterruptedError) as caught:
            await client.imports.stream(items)
        assert 600 <= clock.skipped < 620
        assert caught.value.report.unknown == range(5)
        for clone in (copy.copy(caught.value), pickle.loads(pickle.dumps(caught.value))):
            assert clone.report == caught.value.report
        kept = json.loads(json.dumps(to_dict(caught.value.resume_from)))
        assert from_dict(ResumePoint, kept) == caught.value.resume_from


async def test_nothing_is_sent_before_it_was_told(
    fake: FakeVoucherify, client: AsyncVoucherify
) -> None:
    """Before each request the report says what is about to be unknown, and an async caller is
    waited for.
    """
    stored: dict[range, int] = {}
    items = [{**each, "metadata": {"pad": "x" * 4_000_000}} for each in gifts(numbered(1, 5))]

    async def store(report: ImportReport) -> None:
        before = len(posts(fake))
        for _ in range(20):
            await Skipping().sleep(0)
        assert len(posts(fake)) == before
        point = report.resume_from
        if report.unknown:
            assert point is not None
            assert (point.index, point.unknown_until) == (report.unknown[0], report.unknown[-1] + 1)
            stored.setdefault(report.unknown, before)

    async with fake:
        report = await client.imports.stream(items, on_progress=store)
    assert stored == {range(2): 0, range(2, 4): 1, range(4, 5): 2}
    assert report.is_complete


async def test_resuming_looks_before_it_sends(
    fake: FakeVoucherify, client: AsyncVoucherify, clock: Eventful
) -> None:
    """What was stored before a request is enough to find its job in a later process."""
    stored: list[ResumePoint] = []

    def store(report: ImportReport) -> None:
        if report.unknown and report.resume_from:
            stored.append(report.resume_from)

    items = gifts(numbered(1, 5))
    async with fake:
        await client.imports.stream(items, on_progress=store)
        clock.skipped += 7200
        later = await client.imports.stream(items, resume_from=stored[0])
    assert (later.done_count, later.failures, len(posts(fake))) == (5, (), 1)


HEADER = "Code,Voucher Type,Value,Redeemed Amount"


async def test_spent_cards_stay_spent(fake: FakeVoucherify, client: AsyncVoucherify) -> None:
    """Rows with redeemed amounts go as CSV; items of the JSON import that say them are refused."""
    text = f"{HEADER}\nA,GIFT_VOUCHER,1000,400\nB,GIFT_VOUCHER,1000,\n"
    rows = list(csv.DictReader(io.StringIO(text)))
    spent = {"code": "C", "type": "GIFT_VOUCHER", "gift": {"amount": 1000, "balance": 600}}
    async with fake:
        report = await client.imports.stream([*rows, spent, *gifts(["D"])])
    assert posts(fake) == ["/v1/vouchers/importCSV", "/v1/vouchers/import"]
    spent_card, full = fake.vouchers["A"]["gift"], fake.vouchers["B"]["gift"]
    assert spent_card["balance"] * 10 == spent_card["amount"] * 6
    assert full["balance"] == full["amount"]
    (failure,) = report.failures
    assert (failure.index, failure.code) == (2, "C")
    assert "gift.balance" in failure.reason
    assert "imports.csv" in failure.reason
    assert report.done_count == 3


async def test_rows_sent_as_csv_are_settled_too(
    fake: FakeVoucherify, client: AsyncVoucherify
) -> None:
    """An upload whose answer is lost is found by its codes, and sent once."""
    fake.faults.lose_answer(method="POST")
    text = f"{HEADER}\n" + "".join(f"G-{n},GIFT_VOUCHER,10,1\n" for n in range(30))
    async with fake:
        report = await client.imports.stream(csv.DictReader(io.StringIO(text)))
    assert (report.done_count, report.failures) == (30, ())
    assert posts(fake) == ["/v1/vouchers/importCSV"]


async def test_a_campaign_s_columns_are_read(fake: FakeVoucherify, client: AsyncVoucherify) -> None:
    """Gift Amount and Loyalty Points say what a card is worth, and are not metadata."""
    gift = fake.add_campaign("Gifts", campaign_type="GIFT_VOUCHERS", type="STATIC")
    loyalty = fake.add_campaign("Points", campaign_type="LOYALTY_PROGRAM", type="STATIC")
    async with fake:
        for campaign, column in ((gift, "Gift Amount"), (loyalty, "Loyalty Points")):
            rows = [{"Code": f"{column}-1", column: "25", "Shop": "north"}]
            report = await client.imports.stream(rows, campaign_id=campaign["id"])
            assert report.failures == ()
    card, points = fake.vouchers["Gift Amount-1"], fake.vouchers["Loyalty Points-1"]
    assert (card["gift"]["amount"], card["metadata"]) == (25, {"Shop": "north"})
    assert (points["loyalty_card"]["points"], points["metadata"]) == (25, {"Shop": "north"})


@pytest.mark.parametrize(
    "point",
    [
        ResumePoint(index=0, unknown_until=5),
        ResumePoint(index=5, unknown_until=5, sent_at=Skipping().now()),
        ResumePoint(index=0, sent_at=Skipping().now()),
        ResumePoint(index=5, jobs=[OpenImport(id="aa_1", start=3, stop=6)]),
        ResumePoint(index=5, jobs=[OpenImport(id="", start=3, stop=5)]),
    ],
)
async def test_contradictory_resume_points_are_refused(
    client: AsyncVoucherify, point: ResumePoint
) -> None:
    """A point that cannot be of an interrupted import is refused at once."""
    with pytest.raises(ValueError, match="resume_from"):
        client.imports.stream([], resume_from=point)


async def test_fewer_items_than_before_are_refused(
    fake: FakeVoucherify, client: AsyncVoucherify, clock: Eventful
) -> None:
    """A resumed import that ends inside the unknown items has other items, and sends nothing."""
    point = ResumePoint(index=1, unknown_until=5, sent_at=clock.now())
    async with fake:
        with pytest.raises(ImportInterruptedError, match="same items"):
            await client.imports.stream(gifts(numbered(1, 3)), resume_from=point)
    assert posts(fake) == []


@pytest.mark.parametrize("campaign", [False, True])
async def test_a_lost_upload_is_settled_later(
    fake: FakeVoucherify, client: AsyncVoucherify, campaign: bool
) -> None:
    """The error of an upload whose answer is lost is enough for `settle`, also after a queue."""
    name = fake.add_campaign("Gifts", campaign_type="GIFT_VOUCHERS", type="STATIC")["id"]
    fake.faults.lose_answer(method="POST")
    fake.polls_until_done = 0
    header = f"\ufeff Code ,Voucher Type,{'Gift Amount' if campaign else 'Value'}"
    content = f"{header}\nG-1,GIFT_VOUCHER,1\n\nG-2,GIFT_VOUCHER,1\n".encode()
    imports = client.imports
    async with fake:
        with pytest.raises(AmbiguousOutcomeError) as caught:
            await (imports.csv_to_campaign(name, content) if campaign else imports.csv(content))
        error = pickle.loads(pickle.dumps(caught.value))
        settled = await client.settle(error)
    assert (settled.status, settled.why) == ("done", "")
    assert settled.result is not None
    assert settled.result.result.done_count == 2


async def test_an_earlier_job_of_the_same_codes_is_not_taken(
    fake: FakeVoucherify, client: AsyncVoucherify, other: AsyncVoucherify, clock: Eventful
) -> None:
    """A job of an hour ago that imported the same codes is not the one that was lost."""
    fake.faults.reset(method="POST", after=1)
    async with fake:
        await other.imports.vouchers(gifts(numbered(1, 5)))
        clock.skipped += 3600
        report = await client.imports.stream(gifts(numbered(1, 5)))
    assert (report.done_count, report.failed_count, len(posts(fake))) == (0, 5, 3)


async def test_another_kind_of_job_is_not_taken(
    fake: FakeVoucherify, client: AsyncVoucherify, other: AsyncVoucherify, clock: Eventful
) -> None:
    """A bulk update of the very codes is not the upload that was to update them."""
    add_old(fake, clock, numbered(1, 5))
    fake.faults.reset(method="POST")
    text = f"{HEADER}\n" + "".join(f"{code},GIFT_VOUCHER,10,1\n" for code in numbered(1, 5))

    async def interfere() -> None:
        updates = [{"code": code, "metadata": {"n": 1}} for code in numbered(1, 5)]
        await other.vouchers.update_in_bulk(updates)

    clock.due.append((0.1, interfere))
    async with fake:
        report = await client.imports.stream(csv.DictReader(io.StringIO(text)))
    assert report.read == 5
    assert posts(fake).count("/v1/vouchers/importCSV") == 2


async def test_an_upload_that_updated_codes_is_found(
    fake: FakeVoucherify, client: AsyncVoucherify, clock: Eventful
) -> None:
    """The CSV import updates codes that exist: that they were changed since is its trace."""
    add_old(fake, clock, numbered(1, 5))
    fake.faults.lose_answer(method="POST")
    text = "Code,Voucher Type,Value,Discount Type,Redeemed Quantity\n"
    text += "".join(f"{code},DISCOUNT_VOUCHER,10,AMOUNT,1\n" for code in numbered(1, 5))
    async with fake:
        report = await client.imports.stream(csv.DictReader(io.StringIO(text)))
    assert (report.done_count, report.failures, len(posts(fake))) == (5, (), 1)
