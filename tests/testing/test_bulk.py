from __future__ import annotations

from typing import Any

import httpx
import pytest

from voucherify_async.testing import FakeVoucherify

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=1)]

DISCOUNT = {"type": "AMOUNT", "amount_off": 300}


async def outcome(api: httpx.AsyncClient, response: httpx.Response) -> dict[str, Any]:
    """Return the async action of a response, at its end."""
    assert response.status_code in {200, 202}, response.text
    identifier = response.json()["async_action_id"]
    while True:
        action: dict[str, Any] = (await api.get(f"/v1/async-actions/{identifier}")).json()
        if action["status"] in {"DONE", "FAILED"}:
            return action


async def test_action_goes_through_its_stages(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """Each read of an action leads one stage further; its effect is there from the start."""
    item = {"code": "A", "type": "DISCOUNT_VOUCHER", "discount": DISCOUNT}
    response = await api.post("/v1/vouchers/import", json=[item])
    assert response.status_code == 202
    assert list(fake.vouchers) == ["A"]
    address = f"/v1/async-actions/{response.json()['async_action_id']}"
    stages = [(await api.get(address)).json() for _ in range(4)]
    assert [stage["status"] for stage in stages] == ["ENQUEUED", "IN_PROGRESS", "DONE", "DONE"]
    assert [stage["progress"] for stage in stages] == [0, 33, 100, 100]
    assert "result" not in stages[0]
    assert stages[0]["updated_at"] is None
    assert list(stages[2]) == [
        "id",
        "type",
        "status",
        "result",
        "created_at",
        "updated_at",
        "request_id",
        "progress",
        "processing_time",
        "object",
    ]
    assert stages[2]["result"]["done_count"] == 1
    assert (await api.get("/v1/async-actions/aa_0")).json()["resource_type"] == "async_action"


async def test_failed_items_are_told(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """An import does what it can, and tells code and reason of what it cannot."""
    fake.add_voucher(code="TAKEN")
    items = [
        {"code": "A", "type": "GIFT_VOUCHER", "gift": {"amount": 5}},
        {"code": "TAKEN", "type": "DISCOUNT_VOUCHER", "discount": DISCOUNT},
        {"code": "TYPELESS", "discount": DISCOUNT},
        {"code": "VALUELESS"},
        {"code": "A", "type": "GIFT_VOUCHER", "gift": {"amount": 5}},
    ]
    action = await outcome(api, await api.post("/v1/vouchers/import", json=items))
    result = action["result"]
    assert (action["status"], result["done_count"], result["failed_count"]) == ("DONE", 2, 3)
    assert [failure["code"] for failure in result["failed"]] == ["TAKEN", "VALUELESS", "A"]
    assert all(failure["reason"] for failure in result["failed"])


@pytest.mark.parametrize(
    ("items", "key"),
    [({"code": "A"}, "invalid_payload"), (["A"], "invalid_payload"), ([{}], "invalid_voucher")],
)
async def test_unfit_import_is_refused(api: httpx.AsyncClient, items: Any, key: str) -> None:
    """An import that is no array of objects with codes answers 400."""
    for path in ("/v1/vouchers/import", "/v1/campaigns/C/import"):
        response = await api.post(path, json=items)
        assert response.json()["key"] == (key if "vouchers" in path else "not_found")


async def test_action_can_be_made_to_fail(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """An action that is to fail ends FAILED and has no effect."""
    fake.fail_next_action("out of luck")
    item = {"code": "A", "type": "GIFT_VOUCHER", "gift": {"amount": 5}}
    action = await outcome(api, await api.post("/v1/vouchers/import", json=[item]))
    assert (action["status"], action["result"]) == ("FAILED", {"message": "out of luck"})
    assert len(fake.vouchers) == 0


async def test_import_into_a_campaign(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """Imported vouchers take their campaign's type; taken codes refuse the whole import."""
    fake.add_campaign("Cards", campaign_type="GIFT_VOUCHERS", voucher={"amount": 100})
    items = [{"code": "A"}, {"code": "B", "gift": {"amount": 7}}]
    response = await api.post("/v1/campaigns/Cards/import", json=items)
    action = await outcome(api, response)
    assert action["type"] == "CAMPAIGN.VOUCHERS_IMPORT"
    assert [voucher["gift"]["amount"] for voucher in fake.vouchers.values()] == [100, 7]
    again = await api.post("/v1/campaigns/Cards/import", json=[{"code": "A"}])
    assert (again.status_code, again.json()["key"]) == (400, "duplicate_key")
    fake.campaign_capacity = 2
    full = await api.post("/v1/campaigns/Cards/import", json=[{"code": "C"}])
    assert (await outcome(api, full))["result"]["failed_count"] == 1


CSV = """\ufeffCode,Voucher Type,Value,Discount Type,Category,Start Date,Redemption Limit,\
Redeemed Quantity,Redeemed Amount,Active,Additional Info,Color,Empty\r
AMOUNT,DISCOUNT_VOUCHER,1050,AMOUNT,red,2026-01-01,3,1,,true,"a ""b"", c",blue,\r
PERCENT,DISCOUNT_VOUCHER,12.5,PERCENT,,,,,,false,,,\r
UNIT,DISCOUNT_VOUCHER,2,UNIT,,,,,,,,,\r
GIFT,GIFT_VOUCHER,10000,,,,,,2550,,"two
lines",,\r
\r
NOTYPE,,1,AMOUNT,,,,,,,,,\r
,GIFT_VOUCHER,1,,,,,,,,,,\r
SHORT,GIFT_VOUCHER\r
NOBOOL,GIFT_VOUCHER,1,,,,,,,yes,,,\r
NONUMBER,GIFT_VOUCHER,ten,,,,,,,,,,\r
FINE,GIFT_VOUCHER,10.5,,,,,,,,,,\r
SPENT,GIFT_VOUCHER,1,,,,,,2,,,,\r
KIND,DISCOUNT_VOUCHER,1,SHIPPING,,,,,,,,,\r
NOVALUE,GIFT_VOUCHER,,,,,,,,,,,\r
"""


async def test_csv_becomes_vouchers(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """Standard headers become properties, other headers metadata, unfit rows failures."""
    response = await api.post(
        "/v1/vouchers/importCSV",
        files={"file": ("v.csv", CSV.encode())},
        data={"webhooks_enable": "true"},
    )
    action = await outcome(api, response)
    served = fake.vouchers
    assert list(served) == ["AMOUNT", "PERCENT", "UNIT", "GIFT"]
    assert served["AMOUNT"]["discount"] == {"type": "AMOUNT", "amount_off": 1050}
    assert served["AMOUNT"]["metadata"] == {"Color": "blue"}
    assert served["AMOUNT"]["additional_info"] == 'a "b", c'
    assert served["AMOUNT"]["category"] == "red"
    assert served["AMOUNT"]["redemption"]["quantity"] == 3
    assert served["AMOUNT"]["redemption"]["redeemed_quantity"] == 1
    assert served["PERCENT"]["discount"]["percent_off"] == 12.5
    assert served["PERCENT"]["active"] is False
    assert served["UNIT"]["discount"]["unit_off"] == 2
    assert served["GIFT"]["gift"]["balance"] == 7450
    assert served["GIFT"]["additional_info"] == "two\nlines"
    assert action["type"] == "VOUCHERS.IMPORT_CSV"
    failed = action["result"]["failed"]
    assert [(failure["code"], failure["row"]) for failure in failed] == [
        ("NOTYPE", 5),
        ("", 6),
        ("SHORT", 7),
        ("NOBOOL", 8),
        ("NONUMBER", 9),
        ("FINE", 10),
        ("SPENT", 11),
        ("KIND", 12),
        ("NOVALUE", 13),
    ]


async def test_csv_into_a_campaign(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """A campaign's CSV needs codes alone, and takes the balance of cards; the rest is metadata."""
    fake.add_campaign("Cards", campaign_type="GIFT_VOUCHERS", voucher={"amount": 100})
    fake.add_campaign("Loyal", campaign_type="LOYALTY_PROGRAM")
    gifts = {"file": b"Code,Gift Amount,Redeemed Amount,Value\nA,5,2,9\nB,,,\n"}
    response = await api.post("/v1/campaigns/Cards/importCSV", files=gifts)
    await outcome(api, response)
    points = {"file": b"Code,Loyalty Points\nC,5\nD,\n"}
    response = await api.post("/v1/campaigns/Loyal/importCSV", files=points)
    action = await outcome(api, response)
    assert action["type"] == "CAMPAIGN.VOUCHERS_IMPORT_CSV"
    assert [fake.vouchers[code]["gift"]["amount"] for code in "AB"] == [5, 100]
    assert fake.vouchers["A"]["gift"]["balance"] == 3
    assert fake.vouchers["A"]["metadata"] == {"Value": "9"}
    assert fake.vouchers["C"]["loyalty_card"]["points"] == 5
    assert action["result"]["failed"][0]["code"] == "D"
    missing = await api.post("/v1/campaigns/None/importCSV", files=gifts)
    assert missing.json()["resource_type"] == "campaign"


async def test_json_import_takes_what_is_documented(
    api: httpx.AsyncClient, fake: FakeVoucherify
) -> None:
    """The JSON import skips what was redeemed, and balances, without a word."""
    redeemed = {"quantity": 5, "redeemed_quantity": 2, "redeemed_amount": 700}
    item = {
        "code": "A",
        "gift": {"amount": 1000, "balance": 300},
        "redemption": redeemed,
        "holder_id": "cust_1",
    }
    action = await outcome(api, await api.post("/v1/vouchers/import", json=[item]))
    assert action["result"]["failed_count"] == 0
    served = fake.vouchers["A"]
    assert served["gift"] == {"amount": 1000, "balance": 1000, "effect": "APPLY_TO_ORDER"}
    assert (served["redemption"]["quantity"], served["redemption"]["redeemed_quantity"]) == (5, 0)
    assert served["redemption"]["redeemed_amount"] == 0
    assert "holder_id" not in served


async def test_csv_updates_the_codes_that_exist(
    api: httpx.AsyncClient, fake: FakeVoucherify
) -> None:
    """A row with a known code changes what its cells say; a member's: active and category alone."""
    fake.add_voucher(code="CARD", gift={"amount": 500}, additional_info="kept")
    fake.add_voucher(code="OFF", discount={"type": "PERCENT", "percent_off": 5})
    fake.add_campaign("Cards", campaign_type="GIFT_VOUCHERS", voucher={"amount": 100})
    fake.add_voucher(code="MEMBER", campaign="Cards", gift={"amount": 100})
    rows = (
        b"Code,Voucher Type,Value,Discount Type,Redeemed Amount,Redeemed Quantity,Active,Note\n"
        b"CARD,GIFT_VOUCHER,20,,5,1,false,n\n"
        b"OFF,,7,PERCENT,,,,\n"
        b"OFF,GIFT_VOUCHER,7,,,,,\n"
        b"MEMBER,GIFT_VOUCHER,7,,,,,\n"
    )
    action = await outcome(api, await api.post("/v1/vouchers/importCSV", files={"file": rows}))
    assert [failure["row"] for failure in action["result"]["failed"]] == [3, 4]
    card = fake.vouchers["CARD"]
    assert (card["gift"]["amount"], card["gift"]["balance"]) == (20, 15)
    assert card["redemption"]["redeemed_amount"] == 5
    assert (card["active"], card["additional_info"], card["metadata"]) == (
        False,
        "kept",
        {"Note": "n"},
    )
    assert fake.vouchers["OFF"]["discount"] == {"type": "PERCENT", "percent_off": 7}
    members = {"file": b"Code,Gift Amount,Active,Category\nMEMBER,9,false,red\nCARD,1,,\n"}
    response = await api.post("/v1/campaigns/Cards/importCSV", files=members)
    action = await outcome(api, response)
    assert [failure["code"] for failure in action["result"]["failed"]] == ["CARD"]
    member = fake.vouchers["MEMBER"]
    assert (member["active"], member["category"], member["gift"]["amount"]) == (False, "red", 100)


@pytest.mark.parametrize(
    "form",
    [
        {"files": {"other": b"Code\nA\n"}},
        {"files": {"file": b""}},
        {"files": {"file": b"\xff\xfe"}},
        {"files": {"file": b'Code\n"A\n'}},
        {"content": b"no form", "headers": {"content-type": "multipart/form-data"}},
        {
            "content": b"no form",
            "headers": {"content-type": "multipart/form-data; boundary=b"},
        },
    ],
)
async def test_unreadable_file_is_refused(
    api: httpx.AsyncClient, fake: FakeVoucherify, form: Any
) -> None:
    """A form without the file, or a file that is no CSV, answers 400."""
    response = await api.post("/v1/vouchers/importCSV", **form)
    assert (response.status_code, response.json()["key"]) == (400, "invalid_payload")
    wrong = await api.post("/v1/vouchers/importCSV", json={})
    assert wrong.status_code == 415


async def test_bulk_updates_merge_metadata(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """Bulk updates merge metadata and tell the codes that there are not."""
    fake.add_vouchers([{"code": code, "metadata": {"old": 1}} for code in "AB"])
    items = [{"code": "A", "metadata": {"x": 1}}, {"code": "X", "metadata": {}}]
    first = await api.post("/v1/vouchers/bulk/async", json=items)
    action = await outcome(api, first)
    result = action["result"]
    assert (action["type"], action["operation_status"]) == ("VOUCHERS.BULK_UPDATE", "SUCCESS")
    assert (result["done_count"], result["failed_count"]) == (1, 1)
    assert result["errors"][0]["code"] == "X"
    body = {"codes": ["A", "B", "X"], "metadata": {"y": 2}}
    second = await api.post("/v1/vouchers/metadata/async", json=body)
    action = await outcome(api, second)
    assert action["result"]["done_count"] == 2
    assert list(action["result"]["errors"][0]) == ["message", "details", "key"]
    assert fake.vouchers["A"]["metadata"] == {"old": 1, "x": 1, "y": 2}
    assert fake.vouchers["B"]["metadata"] == {"old": 1, "y": 2}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("bulk", {}),
        ("bulk", [1]),
        ("bulk", [{"code": 1}]),
        ("metadata", {"codes": []}),
        ("metadata", {"codes": ["A"]}),
    ],
)
async def test_unfit_bulk_update_is_refused(api: httpx.AsyncClient, path: str, body: Any) -> None:
    """A bulk update without codes or metadata answers 400."""
    response = await api.post(f"/v1/vouchers/{path}/async", json=body)
    assert (response.status_code, response.json()["key"]) == (400, "invalid_payload")


async def test_actions_are_listed_newest_first(
    api: httpx.AsyncClient, fake: FakeVoucherify
) -> None:
    """The listing pages by end_date and leads no action on."""
    started = []
    for _ in range(3):
        response = await api.post("/v1/vouchers/import", json=[])
        started.append(response.json()["async_action_id"])
    first = (await api.get("/v1/async-actions", params={"limit": 2})).json()
    assert [item["id"] for item in first["async_actions"]] == started[:0:-1]
    assert first["has_more"] is True
    assert first["async_actions"][0]["status"] == "ENQUEUED"
    assert "result" not in first["async_actions"][0]
    end = first["async_actions"][-1]["created_at"]
    fake.async_actions_has_more = False
    rest = (await api.get("/v1/async-actions", params={"end_date": end})).json()
    assert [item["id"] for item in rest["async_actions"]] == started[:1]
    assert "has_more" not in rest
    unfit = await api.get("/v1/async-actions", params={"end_date": "soon"})
    assert unfit.json()["key"] == "invalid_query_params"
