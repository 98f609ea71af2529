"""What stands around calls: raw answers, hooks, unknown outcomes, webhooks, the embedded server."""

# pyright: strict

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, assert_type

import voucherify_async as v
from voucherify_async import AsyncVoucherify, webhooks
from voucherify_async.testing import FakeVoucherify


async def raw_vouchers(client: AsyncVoucherify) -> None:
    """A raw twin takes what the method takes, and its answer parses to what the method returns."""
    raw = client.vouchers.with_raw_response
    answer = await raw.get("A", extra_headers={"x": "y"}, extra_query={"a": "b"}, timeout=5)
    assert_type(answer, v.RawAnswer[v.Voucher])
    assert_type(answer.parse(), v.Voucher)
    assert_type(answer.headers, Mapping[str, str])
    assert_type((answer.status_code, answer.elapsed), tuple[int, float])
    assert_type(answer.request_id, str | None)
    assert_type(await raw.list(category="summer", order="-code"), v.RawAnswer[v.Page[v.Voucher]])
    assert_type(await raw.create("A", {}), v.RawAnswer[v.Voucher])
    assert_type(await raw.generate({}), v.RawAnswer[v.Voucher])
    assert_type(await raw.update("A", {}), v.RawAnswer[v.Voucher])
    assert_type(await raw.delete("A", force=True), v.RawAnswer[None])
    assert_type(await raw.enable("A"), v.RawAnswer[v.Voucher])
    assert_type(await raw.disable("A"), v.RawAnswer[v.Voucher])
    assert_type(await raw.update_balance("A", 5, confirm=True), v.RawAnswer[v.BalanceUpdate])
    assert_type(await raw.release_session("A", "key"), v.RawAnswer[None])
    await raw.get(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await raw.get("A", timeot=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    raw.lst()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


async def raw_work(client: AsyncVoucherify) -> None:
    """The raw twins of background work."""
    transactions = client.transactions.with_raw_response
    assert_type(await transactions.list("A"), v.RawAnswer[v.Page[v.VoucherTransaction]])
    found = await transactions.find("A", source_id="s")
    assert_type(found, v.RawAnswer[v.VoucherTransaction | None])
    assert_type(await transactions.export("A"), v.RawAnswer[v.ExportJob])
    imports = client.imports.with_raw_response
    assert_type(await imports.vouchers([]), v.RawAnswer[v.AsyncJob])
    assert_type(await imports.vouchers_to_campaign("camp_1", []), v.RawAnswer[v.AsyncJob])
    assert_type(await imports.csv(b"Code"), v.RawAnswer[v.AsyncJob])
    assert_type(await imports.csv_to_campaign("camp_1", Path("a.csv")), v.RawAnswer[v.AsyncJob])
    exports = client.exports.with_raw_response
    assert_type(await exports.create({}), v.RawAnswer[v.ExportJob])
    assert_type(await exports.get("exp_1"), v.RawAnswer[v.Export])
    assert_type(await exports.list(), v.RawAnswer[v.Page[v.Export]])
    assert_type(await exports.delete("exp_1"), v.RawAnswer[None])
    assert_type(await exports.wait("exp_1"), v.RawAnswer[v.Export])
    actions = client.async_actions.with_raw_response
    assert_type(await actions.get("aa_1"), v.RawAnswer[v.AsyncAction])
    assert_type(await actions.list(), v.RawAnswer[v.Page[v.AsyncAction]])
    assert_type(await actions.wait("aa_1"), v.RawAnswer[v.AsyncAction])


async def raw_checkout(client: AsyncVoucherify) -> None:
    """The raw twins of a checkout."""
    validated = await client.validations.with_raw_response.validate(redeemables=["A"])
    assert_type(validated, v.RawAnswer[v.Validation])
    qualified = await client.qualifications.with_raw_response.check(scenario="ALL")
    assert_type(qualified, v.RawAnswer[v.Page[v.QualifiedRedeemable]])
    redemptions = client.redemptions.with_raw_response
    assert_type(await redemptions.redeem(redeemables=["A"]), v.RawAnswer[v.RedemptionResult])
    assert_type(await redemptions.get("r_1"), v.RawAnswer[v.RedemptionEntry])
    assert_type(await redemptions.list(), v.RawAnswer[v.Page[v.RedemptionEntry]])
    assert_type(await redemptions.of_voucher("A"), v.RawAnswer[v.VoucherRedemptions])
    assert_type(await redemptions.rollback("r_1"), v.RawAnswer[v.RedemptionRollback])
    assert_type(await redemptions.rollback_stack("r_1"), v.RawAnswer[v.StackRollback])
    orders = client.orders.with_raw_response
    assert_type(await orders.create({}), v.RawAnswer[v.Order])
    assert_type(await orders.get("ord_1"), v.RawAnswer[v.Order])
    assert_type(await orders.update("ord_1", {}), v.RawAnswer[v.Order])
    assert_type(await orders.list(), v.RawAnswer[v.Page[v.Order]])
    assert_type(await orders.bulk_import([]), v.RawAnswer[v.AsyncJob])
    assert_type(await orders.export(), v.RawAnswer[v.ExportJob])


async def on_response(event: v.ResponseEvent) -> None:
    """A hook of either kind, here an asynchronous one."""
    assert_type(event.status_code, int | None)
    assert_type((event.route, event.elapsed), tuple[str, float])


def clients() -> None:
    """What a client is told."""
    waits: list[float] = []
    hooks = v.Hooks(on_response=on_response, on_retry=lambda event: waits.append(event.wait))
    AsyncVoucherify("id", "token", hooks=hooks, http_backend="httpx2", retry=None)
    AsyncVoucherify("id", "token", http_backend="curl")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    v.Hooks(on_retry=on_response)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def unknown_outcomes(client: AsyncVoucherify) -> None:
    """What became of a write."""
    try:
        await client.vouchers.update_balance("A", 5)
    except v.AmbiguousOutcomeError as error:
        settled = await client.settle(error)
        assert_type(settled.status, Literal["done", "not_done", "unknown"])
        assert_type(settled.looked_at, tuple[str, ...])
    except v.RateLimitError as error:
        assert_type(error.retry_after, float | None)


def heard(body: bytes, signature: str | None) -> None:
    """What Voucherify sends by itself."""
    event = webhooks.unwrap(body, signature, ["new", "old"])
    assert_type(event, webhooks.WebhookEvent)
    assert_type(event.created_at, datetime | None)
    assert_type(event.data.voucher, v.Voucher | None)
    assert_type(event.data["voucher"], Any)
    assert_type(webhooks.sign(body, "secret"), str)


async def served(fake: FakeVoucherify) -> None:
    """The embedded server."""
    assert_type(fake.polls_until_done, int)
    fake.polls_until_done = 3
    assert_type(fake.vouchers["A"], dict[str, Any])
    assert_type(await fake.deliver("voucher.created", "http://127.0.0.1:1", "secret"), int)
    async with fake, fake.client() as client:
        assert_type(client, AsyncVoucherify)
    with fake.serve() as url:
        assert_type(url, str)
