from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import pytest

from voucherify_async.testing import FakeVoucherify

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=1)]


async def move(api: httpx.AsyncClient, code: str, amount: Any, **body: Any) -> httpx.Response:
    """Change the balance of a card."""
    return await api.post(f"/v1/vouchers/{code}/balance", json={"amount": amount, **body})


async def test_balance_is_credited_and_debited(
    api: httpx.AsyncClient, fake: FakeVoucherify
) -> None:
    """A balance change moves balance and total, and the ledger records it."""
    card = fake.add_voucher(code="A", gift={"amount": 100}, campaign="Cards")
    answer = (await move(api, "A", 50, source_id="s1", reason="thanks")).json()
    related = {"type": "voucher", "id": card["id"]}
    assert answer == {
        "amount": 50,
        "total": 150,
        "balance": 150,
        "type": "gift_voucher",
        "object": "balance",
        "related_object": related,
    }
    assert (await move(api, "A", -120)).json()["balance"] == 30
    added, removed = fake.transactions("A")
    assert (added["source_id"], added["reason"], added["type"]) == (
        "s1",
        "thanks",
        "CREDITS_ADDITION",
    )
    assert added["campaign_id"] == card["campaign_id"]
    assert removed["type"] == "CREDITS_REMOVAL"
    assert removed["details"]["balance"]["amount"] == -120
    assert fake.vouchers["A"]["gift"]["balance"] == 30
    assert fake.vouchers["A"]["updated_at"] is not None


async def test_loyalty_card_moves_points(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """A loyalty card's transactions count points."""
    fake.add_voucher(code="L", loyalty_card={"points": 10}, campaign="Loyal")
    assert (await move(api, "L", 5)).json()["type"] == "loyalty_card"
    assert fake.transactions("L")[0]["type"] == "POINTS_ADDITION"
    assert fake.transactions("L")[0]["details"]["balance"]["points"] == 5
    refused = await move(api, "L", -16)
    assert (refused.status_code, refused.json()["key"]) == (400, "loyalty_card_points_exceeded")


async def test_impossible_balance_changes(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """Below zero, without a balance or without a whole amount, nothing moves."""
    fake.add_vouchers([{"code": "A", "gift": {"amount": 10}}, {"code": "D"}])
    assert (await move(api, "A", -11)).json()["key"] == "gift_amount_exceeded"
    assert (await move(api, "D", 1)).json()["key"] == "invalid_voucher"
    assert (await move(api, "X", 1)).status_code == 404
    for amount in (0, 1.5, True, None, "1"):
        assert (await move(api, "A", amount)).json()["key"] == "invalid_payload"
    assert (await move(api, "A", 1, source_id=7)).json()["key"] == "invalid_payload"
    assert fake.transactions("A") == []
    assert fake.transactions("X") == []


@pytest.mark.parametrize("order", ["-id", "id"])
async def test_cursor_walks_every_transaction(
    api: httpx.AsyncClient, fake: FakeVoucherify, order: str
) -> None:
    """The cursor leads through all transactions, each once, in either order."""
    fake.add_voucher(code="A", gift={"amount": 0})
    for number in range(1, 6):
        await move(api, "A", number)
    seen: list[str] = []
    query = {"limit": "2", "order": order}
    while True:
        body = (await api.get("/v1/vouchers/A/transactions", params=query)).json()
        seen += [entry["id"] for entry in body["data"]]
        if not body["has_more"]:
            assert "more_starting_after" not in body
            break
        query["starting_after_id"] = body["more_starting_after"]
    ledger = [entry["id"] for entry in fake.transactions("A")]
    assert seen == (ledger if order == "id" else ledger[::-1])
    missing = await api.get("/v1/vouchers/X/transactions")
    assert missing.json()["resource_type"] == "voucher"


async def test_campaign_transactions(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """A card campaign lists the transactions of its cards, another campaign none."""
    fake.add_campaign("Cards", campaign_type="GIFT_VOUCHERS")
    fake.add_campaign("Coupons")
    fake.add_vouchers([{"code": c, "gift": {"amount": 0}, "campaign": "Cards"} for c in "AB"])
    for code, amount in (("A", 1), ("B", 2), ("A", 3)):
        await move(api, code, amount, source_id=f"s{amount}")
    listed = (await api.get("/v1/campaigns/Cards/transactions")).json()
    assert [entry["source_id"] for entry in listed["data"]] == ["s3", "s2", "s1"]
    only = {"filters[source_id][conditions][$is][0]": "s2"}
    listed = (await api.get("/v1/campaigns/Cards/transactions", params=only)).json()
    assert [entry["source_id"] for entry in listed["data"]] == ["s2"]
    assert (await api.get("/v1/campaigns/Coupons/transactions")).json()["data"] == []
    assert (await api.get("/v1/campaigns/X/transactions")).status_code == 404
    export = await api.post("/v1/campaigns/Coupons/transactions/export")
    assert (export.status_code, export.json()["key"]) == (403, "forbidden")


async def download(api: httpx.AsyncClient, export: dict[str, Any]) -> list[dict[str, str]]:
    """Follow an export to its end and return the rows of its file."""
    while export["status"] != "DONE":
        export = (await api.get(f"/v1/exports/{export['id']}")).json()
    text = (await api.get(export["result"]["url"])).text
    return list(csv.DictReader(io.StringIO(text, newline="")))


async def test_transactions_are_exported(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """An export of a card or a campaign holds its transactions in the fields asked for."""
    fake.add_voucher(code="A", gift={"amount": 0}, campaign="Cards")
    fake.add_voucher(code="B", gift={"amount": 0})
    await move(api, "A", 7, reason='say "hi", all')
    await move(api, "B", 8)
    parameters = {"fields": ["id", "voucher_id", "amount", "reason"], "order": "created_at"}
    ordered = await api.post("/v1/vouchers/A/transactions/export", json={"parameters": parameters})
    export = ordered.json()
    assert (export["status"], export["result"]) == ("SCHEDULED", None)
    assert export["parameters"]["filters"] == {"voucher_id": {"conditions": {"$in": ["A"]}}}
    (row,) = await download(api, export)
    assert list(row) == ["ID", "Voucher ID", "Amount", "Reason"]
    assert (row["Amount"], row["Reason"]) == ("7", 'say "hi", all')
    by_campaign = (await api.post("/v1/campaigns/Cards/transactions/export")).json()
    assert [row["Balance"] for row in await download(api, by_campaign)] == ["7"]
    by_id = {"voucher_id": {"conditions": {"$in": [fake.vouchers["B"]["id"]]}}}
    body = {"exported_object": "voucher_transactions", "parameters": {"filters": by_id}}
    own = (await api.post("/v1/exports", json=body)).json()
    assert [row["Amount"] for row in await download(api, own)] == ["8"]
    unfit = await api.post("/v1/vouchers/A/transactions/export", json={"parameters": []})
    assert unfit.json()["key"] == "invalid_payload"
