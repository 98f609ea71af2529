"""Whole flows over real sockets, against the embedded server."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import voucherify_async as v
from voucherify_async import AsyncVoucherify
from voucherify_async.testing import FakeVoucherify

from .support import MovedClock

pytestmark = pytest.mark.anyio

EXPIRY = datetime(2030, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.fixture
def fake() -> FakeVoucherify:
    """An empty server that takes one pair of keys."""
    return FakeVoucherify(app_id="the-id", app_token="the-token")


@pytest.fixture
async def client(fake: FakeVoucherify) -> AsyncIterator[AsyncVoucherify]:
    """A client of that server over a loopback socket, on a clock that does not wait."""
    with fake.serve() as url:
        async with AsyncVoucherify(
            fake.app_id, fake.app_token, base_url=url, clock=MovedClock()
        ) as client:
            yield client


async def test_life_of_a_gift_card(
    client: AsyncVoucherify, fake: FakeVoucherify, tmp_path: Path
) -> None:
    """A gift card is created, changed, switched, credited, listed, exported and deleted."""
    code = "GIFT/100 %ü"
    made = await client.vouchers.create(
        code,
        v.GiftVoucherCreate(
            gift=v.Gift(amount=10_000), expiration_date=EXPIRY, metadata={"season": "winter"}
        ),
    )
    assert (made.code, made.type, made.expiration_date) == (code, "GIFT_VOUCHER", EXPIRY)
    with pytest.raises(v.ConflictError) as conflict:
        await client.vouchers.create(code, v.GiftVoucherCreate(gift=v.Gift(amount=1)))
    assert conflict.value.key == "duplicate_found"

    found = await client.vouchers.get(code)
    assert (found.id, found.gift, found.metadata) == (made.id, made.gift, made.metadata)
    assert v.from_dict(v.Voucher, v.to_dict(found)) == found

    changed = await client.vouchers.update(
        code, v.VoucherUpdate(expiration_date=None, additional_info="till 3")
    )
    assert (changed.expiration_date, changed.additional_info) == (None, "till 3")
    assert changed.metadata == {"season": "winter"}
    assert (await client.vouchers.disable(code)).active is False
    assert (await client.vouchers.enable(code)).active is True

    credit = await client.vouchers.update_balance(code, 500, source_id="order-1", reason="Goodwill")
    assert (credit.amount, credit.balance, credit.total) == (500, 10_500, 10_500)
    debit = await client.vouchers.update_balance(code, -200)
    assert debit.balance == 10_300
    with pytest.raises(v.BadRequestError) as refused:
        await client.vouchers.update_balance(code, -1_000_000)
    assert refused.value.key == "gift_amount_exceeded"

    history = await client.transactions.list(code, limit=1).collect()
    assert sorted(str(t.type) for t in history) == ["CREDITS_ADDITION", "CREDITS_REMOVAL"]
    one = await client.transactions.find(code, source_id="order-1")
    assert one is not None
    assert one.details is not None
    assert one.details.balance is not None
    assert (one.reason, one.details.balance.amount) == ("Goodwill", 500)

    job = await client.transactions.export(code, order="-created_at", fields=["id", "amount"])
    path = await job.download(tmp_path / "history.csv")
    with path.open(newline="") as file:
        _, *rows = csv.reader(file)
    assert {row[0] for row in rows} == {transaction.id for transaction in history}

    await client.vouchers.delete(code)
    with pytest.raises(v.NotFoundError) as missing:
        await client.vouchers.get(code)
    assert missing.value.resource_type == "voucher"
    assert code in fake.bin


async def test_generated_codes_and_force(client: AsyncVoucherify, fake: FakeVoucherify) -> None:
    """A voucher with a random code is made after a pattern, and deleted for good."""
    made = await client.vouchers.generate(
        v.DiscountVoucherCreate(
            discount=v.PercentDiscount(percent_off=10), code_config=v.CodeConfig(pattern="X-####")
        )
    )
    assert made.code is not None
    assert made.code.startswith("X-")
    assert isinstance(made.discount, v.PercentDiscount)
    await client.vouchers.delete(made.code, force=True)
    assert made.code not in fake.bin


async def test_validation_sessions(client: AsyncVoucherify, fake: FakeVoucherify) -> None:
    """A validation session is released once; after that there is none."""
    fake.add_voucher(code="A")
    fake.add_session("A", "ssn/1")
    await client.vouchers.release_session("A", "ssn/1")
    with pytest.raises(v.NotFoundError):
        await client.vouchers.release_session("A", "ssn/1")


async def test_import_and_its_outcome(client: AsyncVoucherify, fake: FakeVoucherify) -> None:
    """An import goes on in the background, and tells which items were refused."""
    fake.add_voucher(code="TAKEN")
    job = await client.imports.vouchers(
        [
            v.GiftVoucherImport(code="G", gift=v.Gift(amount=500)),
            v.DiscountVoucherImport(code="D", discount=v.AmountDiscount(amount_off=100)),
            {"code": "TAKEN", "type": "GIFT_VOUCHER", "gift": {"amount": 1}},
        ]
    )
    reports: list[str | None] = []
    action = await job.wait(on_progress=lambda a: reports.append(a.status))
    assert reports == ["ENQUEUED", "IN_PROGRESS", "DONE"]
    assert action.result is not None
    assert (action.result.done_count, action.result.failed_count) == (2, 1)
    assert [failure.code for failure in action.result.failed or ()] == ["TAKEN"]
    with pytest.raises(v.AsyncActionFailedError):
        await job.wait(raise_on_failed=True)
    assert (await client.vouchers.get("D")).discount == v.AmountDiscount(amount_off=100)


async def test_csv_import(client: AsyncVoucherify, fake: FakeVoucherify, tmp_path: Path) -> None:
    """A CSV file is imported with its amounts and its own columns as metadata."""
    path = tmp_path / "codes.csv"
    path.write_text(
        "Code,Voucher Type,Value,Discount Type,Season\n"
        "C1,GIFT_VOUCHER,1050,,winter\n"
        "C2,DISCOUNT_VOUCHER,20,PERCENT,summer\n"
    )
    action = await (await client.imports.csv(path, webhooks_enable=True)).wait()
    assert action.result is not None
    assert (action.type, action.result.done_count) == ("VOUCHERS.IMPORT_CSV", 2)
    card = await client.vouchers.get("C1")
    assert card.gift is not None
    assert (card.gift.amount, card.metadata) == (1050, {"Season": "winter"})


async def test_imports_into_a_campaign(client: AsyncVoucherify, fake: FakeVoucherify) -> None:
    """Codes are imported into a campaign as JSON and as CSV, by its id or name."""
    campaign = fake.add_campaign(
        "Gift cards", campaign_type="GIFT_VOUCHERS", voucher={"amount": 100}
    )
    plain = v.CampaignVoucherImport(code="J1", gift=v.Gift(amount=700))
    for job in (
        await client.imports.vouchers_to_campaign(campaign["id"], [plain]),
        await client.imports.csv_to_campaign("Gift cards", b"Code\nJ2\n"),
    ):
        await job.wait(raise_on_failed=True)
    listed = await client.vouchers.list(campaign_id=campaign["id"], order="code").collect()
    assert [voucher.code for voucher in listed] == ["J1", "J2"]
    assert [voucher.gift and voucher.gift.amount for voucher in listed] == [700, 100]
    with pytest.raises(v.NotFoundError):
        await client.imports.vouchers_to_campaign("none", [plain])


async def test_bulk_updates(client: AsyncVoucherify, fake: FakeVoucherify) -> None:
    """Metadata of many vouchers is changed in the background, each its own or all the same."""
    fake.add_vouchers({"code": code, "metadata": {"old": 1}} for code in ("A", "B"))
    job = await client.vouchers.update_in_bulk(
        [
            v.VoucherMetadataUpdate(code="A", metadata={"n": 1}),
            v.VoucherMetadataUpdate(code="NONE", metadata={"n": 1}),
        ]
    )
    action = await job.wait()
    assert action.has_failures
    assert action.result is not None
    assert [error.code for error in action.result.errors or ()] == ["NONE"]
    job = await client.vouchers.update_metadata_in_bulk(["A", "B"], {"same": True})
    assert not (await job.wait()).has_failures
    assert (await client.vouchers.get("A")).metadata == {"old": 1, "n": 1, "same": True}


@pytest.mark.parametrize("has_more", [True, False])
async def test_listing_of_async_actions(
    client: AsyncVoucherify, fake: FakeVoucherify, has_more: bool
) -> None:
    """The walk over async actions crosses its seams without a loss or a double."""
    fake.async_actions_has_more = has_more
    fake.add_voucher(code="A")
    ids = [(await client.vouchers.update_metadata_in_bulk(["A"], {"n": i})).id for i in range(7)]
    walked = [action.id async for action in client.async_actions.list(limit=2)]
    assert walked == ids[::-1]
    older = await client.async_actions.list(
        end_date=(await client.async_actions.get(ids[3])).created_at
    )
    assert [action.id for action in older] == ids[2::-1]


async def test_exports(client: AsyncVoucherify, fake: FakeVoucherify, tmp_path: Path) -> None:
    """An export is created, listed, downloaded to a file and as a stream, and deleted."""
    fake.add_vouchers({"code": f"A{i:03}"} for i in range(300))
    job = await client.exports.create(
        v.VoucherExportCreate(
            parameters=v.VoucherExportParameters(
                fields=["code", "voucher_type"],
                order="code",
                filters=v.ExportFilters(
                    code=v.FieldConditions(conditions=v.FilterConditions(starts_with=["A"]))
                ),
            )
        )
    )
    path = await job.download(tmp_path / "codes.csv")
    lines = path.read_bytes().splitlines()
    assert len(lines) == 301
    export = await client.exports.get(job.id)
    async with client.exports.open(export) as chunks:
        streamed = b"".join([chunk async for chunk in chunks])
    assert streamed == path.read_bytes()
    assert [export.id for export in await client.exports.list(order="-created_at")] == [job.id]
    await client.exports.delete(job.id)
    with pytest.raises(v.NotFoundError):
        await client.exports.get(job.id)


async def test_failing_work(client: AsyncVoucherify, fake: FakeVoucherify) -> None:
    """Actions and exports that fail at the server say so."""
    fake.add_voucher(code="A")
    fake.fail_next_action("No luck")
    job = await client.vouchers.update_metadata_in_bulk(["A"], {"n": 1})
    assert (await job.wait()).status == "FAILED"
    fake.fail_next_export()
    with pytest.raises(v.ExportFailedError):
        await (await client.exports.create({"exported_object": "voucher"})).wait()
    slow: Any = fake
    slow.polls_until_done = 1_000
    job = await client.vouchers.update_metadata_in_bulk(["A"], {"n": 1})
    with pytest.raises(v.WaitTimeoutError):
        await job.wait(timeout=60)


async def test_listing_with_filters(client: AsyncVoucherify, fake: FakeVoucherify) -> None:
    """A listing's filters, order and ids arrive as they were meant."""
    fake.add_vouchers({"code": f"A{i}", "category": "odd" if i % 2 else "even"} for i in range(6))
    odd = await client.vouchers.list(category="odd", order="-code").collect()
    assert [voucher.code for voucher in odd] == ["A5", "A3", "A1"]
    ids = [str(voucher.id) for voucher in odd[:2]]
    assert {voucher.code for voucher in await client.vouchers.list(ids=ids)} == {"A5", "A3"}
    assert [voucher.code for voucher in await client.vouchers.list(code="A2")] == ["A2"]
    created = odd[0].created_at
    assert created is not None
    assert len(await client.vouchers.list(created_at={"after": created}, limit=1)) <= 1
    contains = {"code": {"conditions": {"$contains": ["4"]}}}
    assert [voucher.code for voucher in await client.vouchers.list(filters=contains)] == ["A4"]


async def test_any_other_endpoint(client: AsyncVoucherify, fake: FakeVoucherify) -> None:
    """request() reaches an endpoint without a method, and its errors are the same."""
    fake.add_voucher(code="A")
    answer = await client.request("GET", "/v1/vouchers/A")
    assert answer.status_code == 200
    assert v.from_dict(v.Voucher, answer.body) == await client.vouchers.get("A")
    with pytest.raises(v.NotFoundError):
        await client.request("GET", "/v1/nothing")
