from __future__ import annotations

import csv
import io
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from voucherify_async import (
    AmountDiscount,
    AsyncVoucherify,
    DiscountVoucherImport,
    ImportInterruptedError,
    ImportReport,
    ImportStream,
    InvalidArgumentError,
    RateLimitError,
    ResumePoint,
    RetryPolicy,
    from_dict,
    to_dict,
)
from voucherify_async.testing import FakeVoucherify

from .conftest import Skipping

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=1)]

FIVE_MB = "x" * 5_000_000


def item(number: int, **more: Any) -> dict[str, Any]:
    """One voucher to import."""
    discount = {"type": "AMOUNT", "amount_off": number + 1}
    return {"code": f"I-{number}", "type": "DISCOUNT_VOUCHER", "discount": discount, **more}


def large(count: int, size: int = 400_000) -> list[dict[str, Any]]:
    """Vouchers of which a request holds some 24."""
    return [item(number, metadata={"note": "x" * size}) for number in range(count)]


@pytest.fixture
def client(fake: FakeVoucherify, clock: Skipping) -> AsyncVoucherify:
    """A client that has not to wait for anything."""
    return fake.client(clock=clock)


def sent(fake: FakeVoucherify) -> list[int]:
    """How many bytes each import had."""
    return [len(r.body) for r in fake.requests if r.method == "POST"]


async def test_import_is_cut_just_under_the_bound(
    fake: FakeVoucherify, client: AsyncVoucherify
) -> None:
    """Requests are as few as 10 MB allow, and every item is imported once."""
    async with fake:
        report = await client.imports.stream(large(60))
    sizes = sent(fake)
    assert len(sizes) == 3
    assert all(9_500_000 < size <= 10_000_000 for size in sizes[:-1])
    assert (report.read, report.done_count, report.failed_count) == (60, 60, 0)
    assert report.accepted == range(60)
    assert report.resume_from is None
    assert report.is_complete
    assert len(fake.vouchers) == 60


async def test_failures_and_duplicates_are_told_with_their_place(
    fake: FakeVoucherify, client: AsyncVoucherify
) -> None:
    """What is refused, unfit or doubled is reported with place, code and reason; the rest is in."""
    fake.add_voucher(code="I-3")
    model = DiscountVoucherImport(code="MODEL", discount=AmountDiscount(amount_off=5))
    items: list[Any] = [item(n) for n in range(6)] + [
        item(1),
        {"type": "DISCOUNT_VOUCHER"},
        7,
        item(9, metadata={"when": object()}),
        item(10, metadata={"note": FIVE_MB + FIVE_MB}),
        model,
    ]
    told: list[tuple[int, int]] = []

    def tell(report: ImportReport) -> None:
        told.append((len(report.duplicates), len(sent(fake))))

    async with fake:
        report = await client.imports.stream(items, on_progress=tell)
    assert [(each.index, each.code) for each in report.failures] == [
        (3, "I-3"),
        (7, None),
        (8, None),
        (9, "I-9"),
        (10, "I-10"),
    ]
    assert [(each.index, each.code) for each in report.duplicates] == [(6, "I-1")]
    assert "item 1" in report.duplicates[0].reason
    assert report.done_count + report.failed_count + len(report.duplicates) == report.read == 12
    assert set(fake.vouchers) == {"I-0", "I-1", "I-2", "I-3", "I-4", "I-5", "MODEL"}
    assert told[0] == (1, 0), "the duplicate is told before anything is sent"


async def test_rows_of_a_csv_file_are_items_too(
    fake: FakeVoucherify, client: AsyncVoucherify
) -> None:
    """Rows with the columns of a CSV import become vouchers, other columns their metadata."""
    text = (
        "Code,Voucher Type,Value,Discount Type,Active,Shop\n"
        "A,DISCOUNT_VOUCHER,1050,AMOUNT,true,north\n"
        "B,GIFT_VOUCHER,20,,false,\n"
        "C,DISCOUNT_VOUCHER,x,PERCENT,true,\n"
    )
    async with fake:
        report = await client.imports.stream(csv.DictReader(io.StringIO(text)))
    assert [failure.index for failure in report.failures] == [2]
    assert fake.vouchers["A"]["discount"]["amount_off"] == 1050
    assert fake.vouchers["A"]["metadata"] == {"Shop": "north"}
    assert (fake.vouchers["B"]["gift"]["amount"], fake.vouchers["B"]["active"]) == (20, False)


async def test_no_more_jobs_than_allowed_are_open(
    fake: FakeVoucherify, client: AsyncVoucherify
) -> None:
    """A request is held back while `max_in_flight` jobs have not ended."""
    most = 0

    async def tell(report: ImportReport) -> None:
        nonlocal most
        await checkpoint()
        most = max(most, len(report.open_jobs))

    async with fake:
        await client.imports.stream(large(200, 150_000), on_progress=tell, max_in_flight=2)
    assert most <= 2
    assert len(fake.vouchers) == 200


async def test_import_into_a_campaign(fake: FakeVoucherify, client: AsyncVoucherify) -> None:
    """With a campaign's id the vouchers go into the campaign."""
    campaign = fake.add_campaign("Spring")
    async with fake:
        report = await client.imports.stream([item(1), item(2)], campaign_id=campaign["id"])
    assert report.done_count == 2
    assert {v["campaign"] for v in fake.vouchers.values()} == {"Spring"}


@pytest.mark.parametrize("fault", ["lose_answer", "reset", "disconnect", "cut_body"])
async def test_lost_answer_is_settled(
    fake: FakeVoucherify, client: AsyncVoucherify, fault: str
) -> None:
    """An import whose answer is lost is looked for, and sent again only if there is no job."""
    getattr(fake.faults, fault)(method="POST", after=1)
    async with fake:
        report = await client.imports.stream(large(60))
    assert (report.done_count, report.failed_count, report.is_complete) == (60, 0, True)
    assert len(fake.vouchers) == 60
    assert len(sent(fake)) == (4 if fault in {"reset", "disconnect"} else 3)


async def test_interruption_by_the_items_themselves(
    fake: FakeVoucherify, client: AsyncVoucherify
) -> None:
    """What the items' iterator raises interrupts; sent are the full requests alone."""
    items = large(60)

    def broken() -> Iterator[Any]:
        yield from items[:40]
        raise OSError("the disk is gone")

    async with fake:
        with pytest.raises(ImportInterruptedError, match="disk") as caught:
            await client.imports.stream(broken())
        assert isinstance(caught.value.__cause__, OSError)
        report = caught.value.report
        assert (report.accepted, report.unknown) == (range(24), range(24, 24))
        assert report.not_accepted == range(24, 40)
        point = caught.value.resume_from
        assert point is not None
        kept = from_dict(ResumePoint, json.loads(json.dumps(to_dict(point))))
        assert kept == point
        rest = await client.imports.stream(items, resume_from=kept)
    assert report.done_count + rest.done_count == 60
    assert set(rest.job_ids).isdisjoint(report.job_ids)


async def test_quota_longer_than_allowed_interrupts(
    fake: FakeVoucherify, client: AsyncVoucherify
) -> None:
    """A quota that outlasts the policy's deadline interrupts; nothing is unknown then."""
    fake.faults.rate_limited(wait=4000, method="POST", after=1)
    items = large(30)
    async with fake:
        with pytest.raises(ImportInterruptedError) as caught:
            await client.imports.stream(items, retry=RetryPolicy(deadline=60))
        assert isinstance(caught.value.__cause__, RateLimitError)
        assert not caught.value.report.unknown
        assert caught.value.report.not_accepted == range(24, 30)
        rest = await client.imports.stream(items, resume_from=caught.value.resume_from or 0)
    assert caught.value.report.done_count + rest.done_count == 30


async def test_failed_job_is_told_for_each_item(
    fake: FakeVoucherify, client: AsyncVoucherify
) -> None:
    """The items of a job that failed as a whole are failures with that job's message."""
    fake.fail_next_action("the queue burst")
    async with fake:
        report = await client.imports.stream([item(n) for n in range(3)])
    assert [failure.index for failure in report.failures] == [0, 1, 2]
    assert all("queue burst" in failure.reason for failure in report.failures)


async def test_import_runs_once(fake: FakeVoucherify, client: AsyncVoucherify) -> None:
    """A second await of the same import is refused, since its items are used up."""
    async with fake:
        stream = client.imports.stream([item(1)])
        await stream
        with pytest.raises(RuntimeError, match="once"):
            await stream
        assert (await client.imports.stream([])).is_complete


@pytest.mark.parametrize(
    "wrong", [{"items": "text"}, {"max_in_flight": 0}, {"resume_from": -1}, {"resume_from": "5"}]
)
async def test_wrong_arguments_are_refused(
    fake: FakeVoucherify, client: AsyncVoucherify, wrong: dict[str, Any]
) -> None:
    """Wrong arguments are refused at once; a resume point past the items when that shows."""
    async with fake:
        open_stream: Any = client.imports.stream
        with pytest.raises(InvalidArgumentError):
            open_stream(**{"items": [], **wrong})
        with pytest.raises(ImportInterruptedError, match="resume_from"):
            await client.imports.stream([item(1)], resume_from=5)


async def interrupted(
    stream: ImportStream, fake: FakeVoucherify, chance: random.Random
) -> ImportReport:
    """Run an import into a fault or a cancellation at a random point, and return its report."""
    kinds = ["lose_answer", "reset", "timeout", "status", "cancel", "garbage", "poll"]
    kind, after = chance.choice(kinds), chance.randrange(3)
    if kind == "poll":
        fake.faults.status(500, method="GET", path="async-actions/", times=None, after=after)
    elif kind == "timeout":
        fake.faults.timeout("read", method="POST", after=after, applied=chance.random() < 0.5)
    elif kind == "status":
        fake.faults.status(500, method="POST", after=after, applied=chance.random() < 0.5)
    elif kind != "cancel":
        getattr(fake.faults, kind)(method="POST", after=after)
    with anyio.CancelScope() as scope:

        async def run() -> None:
            with suppress(ImportInterruptedError):
                await stream

        async with anyio.create_task_group() as tasks:
            if kind == "cancel":

                async def cancel() -> None:
                    for _ in range(chance.randrange(400)):
                        await checkpoint()
                    scope.cancel()

                tasks.start_soon(cancel)
            await run()
            tasks.cancel_scope.cancel()
    fake.faults.clear()
    return stream.report


@pytest.mark.parametrize("seed", range(6))
async def test_interrupted_again_and_again(
    fake: FakeVoucherify, client: AsyncVoucherify, seed: int
) -> None:
    """However an import is interrupted, nothing is lost or doubled, and the reports add up."""
    chance = random.Random(seed)
    items = large(150, 200_000)
    refused = {f"I-{number}" for number in range(0, 150, 31)}
    fake.add_vouchers({"code": code} for code in refused)
    reports: list[ImportReport] = []
    point: ResumePoint | None = ResumePoint(index=0)
    async with fake:
        while point is not None:
            source = as_async(items) if chance.random() < 0.5 else items
            stream = client.imports.stream(source, resume_from=point)
            if len(reports) < 8:
                reports.append(await interrupted(stream, fake, chance))
            else:
                reports.append(await stream)
            point = reports[-1].resume_from
    assert sum(report.done_count for report in reports) == len(items) - len(refused)
    failures = [failure for report in reports for failure in report.failures]
    assert Counter(failure.code for failure in failures) == Counter(refused)
    assert all(failure.code == f"I-{failure.index}" for failure in failures)
    assert len(fake.vouchers) == len(items)


async def as_async(items: list[Any]) -> AsyncIterator[Any]:
    """The same items, as an async iterable."""
    for each in items:
        await checkpoint()
        yield each
