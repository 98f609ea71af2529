"""What the methods of the client return."""

# pyright: strict

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, assert_type

import httpx

import voucherify_async as v
from voucherify_async import AsyncVoucherify


async def vouchers(client: AsyncVoucherify) -> None:
    """Results of `client.vouchers`."""
    voucher = await client.vouchers.get("A", timeout=5, retry=None)
    assert_type(voucher, v.Voucher)
    assert_type(voucher.gift, v.Gift | None)
    assert_type(voucher.expiration_date, datetime | None)
    assert_type(voucher.metadata, Mapping[str, Any] | None)
    if voucher.gift is not None:
        assert_type(voucher.gift.balance, int | None)
    if isinstance(voucher.discount, v.PercentDiscount):
        assert_type(voucher.discount, v.PercentDiscount)
    listing = client.vouchers.list(category="summer", created_at=v.TimeRange(), order="-code")
    assert_type(listing, v.AsyncPaginator[v.Voucher])
    assert_type(await listing, v.Page[v.Voucher])
    assert_type(await listing.collect(max_items=5), list[v.Voucher])
    assert_type(listing.pages(), AsyncIterator[v.Page[v.Voucher]])
    async for item in listing:
        assert_type(item, v.Voucher)
    for item in await listing:
        assert_type(item, v.Voucher)
    for found in await client.vouchers.get_many(["A"]):
        assert_type(found, v.FoundVoucher | v.FailedLookup)
        if found.ok:
            assert_type(found.voucher, v.Voucher)
            assert_type(found.voucher.code, str)
        if found:
            assert_type(found, v.FoundVoucher)
        else:
            assert_type(found, v.FailedLookup)
            assert_type(found.error, Exception)
        if found.ok is True:
            assert_type(found, v.FoundVoucher)
        else:
            assert_type(found, v.FailedLookup)
        if found.error is not None:
            assert_type(found, v.FailedLookup)
        if found.error is None:
            assert_type(found, v.FoundVoucher)
    body = v.GiftVoucherCreate(gift=v.Gift(amount=5), expiration_date=None, category=v.UNSET)
    assert_type(await client.vouchers.create("A", body), v.Voucher)
    assert_type(await client.vouchers.generate({"type": "GIFT_VOUCHER"}), v.Voucher)
    assert_type(await client.vouchers.update("A", v.VoucherUpdate(active=None)), v.Voucher)
    assert_type(await client.vouchers.update_balance("A", -5, reason="r"), v.BalanceUpdate)
    assert_type(await client.vouchers.update_in_bulk([{"code": "A"}]), v.AsyncJob)
    assert_type(await client.vouchers.update_metadata_in_bulk(["A"], {}), v.AsyncJob)


async def work(client: AsyncVoucherify) -> None:
    """Results of the other namespaces."""
    transactions = client.transactions.list("A", order="-id")
    assert_type(transactions, v.AsyncPaginator[v.VoucherTransaction])
    found = await client.transactions.find("A", source_id="s")
    assert_type(found, v.VoucherTransaction | None)
    job = await client.imports.csv(Path("codes.csv"), webhooks_enable=True)
    assert_type(job, v.AsyncJob)
    assert_type(await job.wait(timeout=5, raise_on_failed=True), v.AsyncAction)
    assert_type(client.async_actions.list(), v.AsyncPaginator[v.AsyncAction])
    export = await client.exports.create(v.VoucherExportCreate())
    assert_type(export, v.ExportJob)
    assert_type(await export.wait(), v.Export)
    assert_type(await export.download("codes.csv"), Path)
    assert_type(client.exports.list(), v.AsyncPaginator[v.Export])
    async with client.exports.open("exp_1") as chunks:
        assert_type(chunks, AsyncIterator[bytes])


async def clients(client: AsyncVoucherify) -> None:
    """The client itself."""
    assert_type(client.rate_limit, v.RateLimit | None)
    assert_type(client.with_options(timeout=httpx.Timeout(5)), AsyncVoucherify)
    assert_type(await client.request("GET", "/v1/x", params={"a": 1}), v.RawResponse)
    async with AsyncVoucherify(auth=v.BearerAuth("t")) as other:
        assert_type(other, AsyncVoucherify)
    assert_type(v.from_dict(v.Voucher, {}), v.Voucher)
    assert_type(v.to_dict(v.Voucher()), dict[str, Any])


async def refused(client: AsyncVoucherify) -> None:
    """What a type checker has to refuse."""
    await client.vouchers.get(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.vouchers.get("A", timeot=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.vouchers.list(order="name")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    v.GiftVoucherCreate()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    v.GiftVoucherCreate(gift=v.LoyaltyCard())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
