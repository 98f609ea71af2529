from __future__ import annotations

from typing import Any

import httpx
import pytest

from voucherify_async.testing import FakeVoucherify

from .conftest import Now

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=1)]


async def codes(api: httpx.AsyncClient, query: Any = None) -> list[str]:
    """Return the codes on the page that a query asks for."""
    response = await api.get("/v1/vouchers", params=query)
    assert response.status_code == 200, response.text
    return [voucher["code"] for voucher in response.json()["vouchers"]]


@pytest.fixture
def five(fake: FakeVoucherify, now: Now) -> FakeVoucherify:
    """The server with five different vouchers, made one second after the other."""
    fake.add_campaign("Camp", id="camp_1")
    fake.add_customer(id="cust_1", source_id="crm/1")
    fake.add_customer(source_id="crm/2")
    extras: list[dict[str, Any]] = [
        {"category": "red", "holder_id": "cust_1"},
        {"category": "red", "campaign": "Camp", "metadata": {"tier": 1}},
        {"category": "blue", "active": False, "metadata": {"tier": 2}},
        {"gift": {"amount": 5}},
        {"campaign": "Camp", "expiration_date": "2030-01-01"},
    ]
    for name, extra in zip("CABED", extras, strict=True):
        fake.add_voucher(code=name, id=f"v_{name}", **extra)
        now.move(1)
    return fake


async def test_pages_have_a_total(api: httpx.AsyncClient, five: FakeVoucherify) -> None:
    """A page has its items, newest first, and the number of all; past the end it is empty."""
    body = (await api.get("/v1/vouchers", params={"limit": 2, "page": 2})).json()
    assert list(body) == ["object", "data_ref", "vouchers", "total"]
    assert [voucher["code"] for voucher in body["vouchers"]] == ["B", "A"]
    assert "validation_rules_assignments" not in body["vouchers"][0]
    assert body["total"] == 5
    assert await codes(api, {"limit": 2, "page": 3}) == ["C"]
    assert await codes(api, {"limit": 2, "page": 4}) == []


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("created_at", "CABED"),
        ("-created_at", "DEBAC"),
        ("code", "ABCDE"),
        ("-code", "EDCBA"),
        ("updated_at", "CBEDA"),
        ("-updated_at", "ADEBC"),
    ],
)
async def test_orders(
    api: httpx.AsyncClient, five: FakeVoucherify, order: str, expected: str
) -> None:
    """Each order sorts, also after changes that came behind the first listing."""
    await codes(api, {"order": order})
    await api.post("/v1/vouchers/A/disable")
    assert "".join(await codes(api, {"order": order})) == expected
    five.add_voucher(code="0", created_at="2000-01-01")
    await api.delete("/v1/vouchers/E")
    assert sorted(await codes(api, {"order": order})) == list("0ABCD")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"category": "red"}, "AC"),
        ({"campaign": "Camp"}, "DA"),
        ({"campaign_id": "camp_1"}, "DA"),
        ({"campaign": "None"}, ""),
        ({"customer": "cust_1"}, "C"),
        ({"customer": "crm/1"}, "C"),
        ({"customer": "crm/2"}, ""),
        ({"customer": "nobody"}, ""),
        ({"code": "B"}, "B"),
        ([("ids", "v_A"), ("ids", "v_B")], "BA"),
        ({"category": "red", "campaign": "Camp"}, "A"),
        ({"created_at[after]": "2026-03-17T15:50:02.786Z"}, "DE"),
        ({"created_at[before]": "2026-03-17T15:50:01.786Z"}, "C"),
        ({"created_at[before]": "2026-03-17T15:50:01.786Z", "order": "code"}, "C"),
        ({"updated_at[after]": "2000-01-01"}, ""),
        ({"filters[code][conditions][$is][0]": "B"}, "B"),
        ({"filters[code][conditions][$in]": "B"}, "B"),
        ({"filters[code][conditions][$is_not][0]": "B"}, "DEAC"),
        ({"filters[code][conditions][$starts_with][0]": "B"}, "B"),
        ({"filters[code][conditions][$ends_with][0]": "B"}, "B"),
        ({"filters[categories][conditions][$contains][0]": "lu"}, "B"),
        ({"filters[categories][conditions][$not_contain][0]": "e"}, "DE"),
        ({"filters[active][conditions][$is][0]": "false"}, "B"),
        ({"filters[metadata.tier][conditions][$more_than][0]": "1"}, "B"),
        ({"filters[metadata.tier][conditions][$less_than_equal][0]": "1"}, "A"),
        ({"filters[holder_id][conditions][$has_value]": "true"}, "C"),
        ({"filters[campaign_name][conditions][$is_unknown]": "true"}, "EBC"),
        ({"filters[expiration_date][conditions][$after][0]": "2029-01-01"}, "D"),
        ({"filters[expiration_date][conditions][$before][0]": "2029-01-01"}, ""),
        ({"filters[voucher_type][conditions][$is][0]": "GIFT_VOUCHER", "category": "red"}, ""),
        (
            {
                "filters[junction]": "or",
                "filters[code][conditions][$is][0]": "B",
                "filters[campaign_id][conditions][$is][0]": "camp_1",
            },
            "DBA",
        ),
    ],
)
async def test_filters(
    api: httpx.AsyncClient, five: FakeVoucherify, query: Any, expected: str
) -> None:
    """Each parameter narrows the listing down, and they combine."""
    assert "".join(await codes(api, query)) == expected


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 101},
        {"limit": "ten"},
        {"page": 0},
        {"page": 100},
        {"order": "name"},
        {"created_at[after]": "yesterday"},
        {"filters[junction]": "xor"},
        {"filters[code]": "B"},
        {"filters[code][conditions][$like][0]": "B"},
        {"filters[created_at][conditions][$after][0]": "soon"},
        {"filters[code]": "B", "filters[code][conditions][$is]": "B"},
    ],
)
async def test_unfit_query_is_refused(api: httpx.AsyncClient, query: Any) -> None:
    """A parameter out of its bounds answers 400."""
    response = await api.get("/v1/vouchers", params=query)
    assert response.status_code == 400
    assert response.json()["key"] == "invalid_query_params"


async def test_inclusive_dates(api: httpx.AsyncClient, five: FakeVoucherify) -> None:
    """With inclusive dates, bounds include their own instant."""
    five.inclusive_dates = True
    instant = "2026-03-17T15:50:02.786Z"
    assert await codes(api, {"created_at[after]": instant, "created_at[before]": instant}) == ["B"]
    await api.post("/v1/vouchers/B/disable")
    updated = {"updated_at[after]": "2026-03-17T15:50:05.786Z"}
    assert await codes(api, {**updated, "updated_at[before]": "2026-03-17T15:50:05.786Z"}) == ["B"]


async def test_ceiling_of_pages(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """Of 10,001 vouchers, one query reaches the first 9,900, each once."""
    assert fake.add_vouchers({"code": f"C{number}"} for number in range(10_001)) == 10_001
    seen: list[str] = []
    for page in range(1, 100):
        seen += await codes(api, {"limit": 100, "page": page})
    assert len(set(seen)) == 9_900
    assert (seen[0], seen[-1]) == ("C10000", "C101")
    fake.clear_requests()
    assert fake.requests == []


async def test_many_selections_are_remembered(api: httpx.AsyncClient, five: FakeVoucherify) -> None:
    """A listing with many different filters stays right."""
    for _ in range(2):
        for number in range(20):
            assert await codes(api, {"category": f"none{number}"}) == []
    assert await codes(api, {"category": "red"}) == ["A", "C"]
