"""Webhooks: signatures, and events read without loss."""

from __future__ import annotations

import json
import traceback
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucherify_async import (
    InvalidArgumentError,
    ResponseValidationError,
    Voucher,
    VoucherifyError,
    WebhookSignatureError,
    to_dict,
)
from voucherify_async.models import (
    Campaign,
    Model,
    PromotionTier,
    Publication,
    TransactionBalance,
    VoucherTransaction,
)
from voucherify_async.webhooks import sign, unwrap, verify

from .models.mutations import examples

SECRET = "secretKey"

EVENT: dict[str, Any] = {
    "id": "whs_1",
    "project_id": "proj_1",
    "created_at": "2024-02-09T13:27:46.844Z",
    "type": "voucher.gift.balance_added",
    "data": {
        "voucher": {"code": "CARD", "gift": {"amount": 500, "balance": 200}},
        "redemption": {"id": "r_1", "object": "redemption", "amount": 300},
        "redemption_rollback": {"id": "rr_1", "object": "redemption_rollback", "amount": -300},
        "customer": {"id": "cust_1", "source_id": "c1"},
        "order": {"id": "ord_1", "amount": 5000},
        "new": [1],
    },
    "source": {"id": "wh_1", "object": "webhook", "target_url": "https://shop.example/hook"},
    "event": {
        "id": "ev_1",
        "type": "voucher.gift.balance_added",
        "created_at": "2024-02-09T13:27:46.844Z",
        "entity_id": "v_1",
        "group_id": "g_1",
        "event_source": {"channel": "API", "api_key": {"name": "shop", "app_id": "a"}},
    },
    "of_next_year": {"kept": True},
}


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        (b'{"a":1}', "a17d2ac229d1ebbb5f10e839c7985c4818e5986eab297f7e5979196d4d7d3ed2"),
        (b'{"a\\"b":1}', "f7cf97814a03146abedb9793f56e1dec34f618f82d10395310d053f749483ffb"),
        (b"  message  ", "53ff92957e1427ce23ad5bda9d0c5f2f4ff384d0806b83eeacb510c842d3a358"),
    ],
)
def test_the_published_vectors(body: bytes, signature: str) -> None:
    """The signatures that Voucherify publishes as examples are made and accepted."""
    assert sign(body, SECRET) == signature
    verify(body, signature, SECRET)
    verify(body, f" {signature.upper()} ", [SECRET])


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    ),
    st.sampled_from([None, 1, "\t"]),
    st.booleans(),
)
def test_white_space_between_tokens_does_not_matter(
    value: Any, indent: Any, ascii_only: bool
) -> None:
    """JSON that was laid out anew keeps its signature; white space inside strings counts."""
    laid_out = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()
    compact = json.dumps(value, separators=(",", ":"), ensure_ascii=ascii_only).encode()
    assert sign(laid_out, SECRET) == sign(compact, SECRET)
    verify(laid_out, sign(compact, SECRET), SECRET)


@pytest.mark.parametrize(
    ("body", "signed"),
    [
        (b'{"a":"x y"}', b'{"a":"xy"}'),
        (b'{"a":1}', b'{"a":2}'),
        (b"  message  ", b"message"),
        (b"mes sage", b"message"),
        (b'{"a":"\\" x"}', b'{"a":"\\"x"}'),
    ],
)
def test_another_body_is_refused(body: bytes, signed: bytes) -> None:
    """A signature fits its own body alone; outside JSON white space counts."""
    with pytest.raises(WebhookSignatureError, match="does not fit"):
        verify(body, sign(signed, SECRET), SECRET)


@pytest.mark.parametrize(
    "signature",
    [None, "", " ", "x", "ü" * 64, "\ud800", "0" * 64, "0" * 10**6, sign(b"{}", "another")],
)
def test_a_missing_or_foreign_signature_is_refused(signature: str | None) -> None:
    """Without a signature by the secret nothing is read."""
    with pytest.raises(WebhookSignatureError) as caught:
        unwrap(b"{}", signature, SECRET)
    assert isinstance(caught.value, VoucherifyError)


def test_secrets_rotate() -> None:
    """While a secret is being replaced, both are accepted."""
    body = b'{"id":"whs_1"}'
    for signer in ("old", "new"):
        assert unwrap(body, sign(body, signer), ["new", "old"]).id == "whs_1"
    with pytest.raises(WebhookSignatureError):
        unwrap(body, sign(body, "older"), ["new", "old"])


def test_an_event_is_read_without_loss() -> None:
    """Envelope and nouns are typed, and every key comes back, also an unknown one."""
    body = json.dumps(EVENT).encode()
    event = unwrap(body, sign(body, SECRET), SECRET)
    assert (event.dedupe_key, event.event_type) == ("ev_1", "voucher.gift.balance_added")
    assert event.created_at == datetime(2024, 2, 9, 13, 27, 46, 844000, tzinfo=UTC)
    assert event.source is not None
    assert event.source.object == "webhook"
    assert isinstance(event.data.voucher, Voucher)
    assert event.data.voucher.gift is not None
    assert event.data.voucher.gift.balance == 200
    nouns = (event.data.redemption, event.data.redemption_rollback, event.data.customer)
    assert [noun.id for noun in nouns if noun] == ["r_1", "rr_1", "cust_1"]
    assert event.data.order is not None
    assert event.data.order.amount == 5000
    assert (event.data["new"], len(event.data)) == ([1], 6)
    assert event.extra == {"of_next_year": {"kept": True}}
    assert {**to_dict(event), "data": dict(event.data)} == EVENT


def test_a_distribution_names_its_type_itself() -> None:
    """In a distribution `type` is the user's own name; `event_type` is what happened."""
    body = json.dumps({**EVENT, "type": "My mailing"}).encode()
    assert unwrap(body, sign(body, SECRET), SECRET).event_type == "voucher.gift.balance_added"


def test_a_strange_noun_costs_no_event() -> None:
    """A noun that contradicts its type raises where it is asked for, with its path."""
    body = json.dumps({"id": "whs_1", "data": {"voucher": {"code": 7}}}).encode()
    event = unwrap(body, sign(body, SECRET), SECRET)
    assert event.dedupe_key == "whs_1"
    with pytest.raises(ResponseValidationError, match=r"\$\.data\.voucher\.code"):
        _ = event.data.voucher
    assert event.data["voucher"] == {"code": 7}


@pytest.mark.parametrize(
    ("key", "noun", "model", "field", "expected"),
    [
        ("campaign", examples("Campaign")["loyalty"], Campaign, "campaign_type", "LOYALTY_PROGRAM"),
        (
            "publication",
            examples("Publication")["several"],
            Publication,
            "customer_id",
            "cust_7Kd02mXw",
        ),
        ("promotion_tier", {"id": "promo_1"}, PromotionTier, "id", "promo_1"),
        ("balance", {"amount": 5, "balance": 7}, TransactionBalance, "balance", 7),
        ("transaction", {"id": "vtx_1", "type": "NEW"}, VoucherTransaction, "type", "NEW"),
    ],
)
def test_a_noun_is_typed(
    key: str, noun: Any, model: type[Model], field: str, expected: Any
) -> None:
    """Each noun that the library has comes as its model, and as its JSON; one not told is None."""
    body = json.dumps({"type": "of.tomorrow", "data": {key: noun}}).encode()
    data = unwrap(body, sign(body, SECRET), SECRET).data
    typed = getattr(data, key)
    assert type(typed) is model
    assert getattr(typed, field) == expected
    assert data[key] == noun
    assert getattr(unwrap(b"{}", sign(b"{}", SECRET), SECRET).data, key) is None


def test_several_vouchers_are_typed() -> None:
    """The vouchers of a publication are models; a wrong one is named by its place."""
    body = json.dumps({"data": {"vouchers": [{"code": "A"}, {"code": "B"}]}}).encode()
    vouchers = unwrap(body, sign(body, SECRET), SECRET).data.vouchers
    assert vouchers == (Voucher(code="A"), Voucher(code="B"))
    assert unwrap(b"{}", sign(b"{}", SECRET), SECRET).data.vouchers == ()
    body = json.dumps({"data": {"vouchers": [{"code": "A"}, {"code": 7}]}}).encode()
    with pytest.raises(ResponseValidationError, match=r"\$\.data\.vouchers\[1\]\.code"):
        _ = unwrap(body, sign(body, SECRET), SECRET).data.vouchers


@pytest.mark.parametrize(
    "body", [b"[]", b"message", b'{"data":[]}', b"\xff", b'{"a":' + b"[" * 9999]
)
def test_what_is_not_an_event_is_refused(body: bytes) -> None:
    """A signed body that holds no event raises an error of the library."""
    with pytest.raises(ResponseValidationError):
        unwrap(body, sign(body, SECRET), SECRET)


@pytest.mark.parametrize("secret", ["", [], (), ["good", ""], None, 7, b"secretKey", [b"x"], {"x"}])
def test_an_empty_secret_is_refused(secret: Any) -> None:
    """A secret that was never set must not sign anything."""
    with pytest.raises(InvalidArgumentError, match="secret"):
        unwrap(b"{}", "x", secret)


def test_a_parsed_body_is_refused() -> None:
    """A body that was decoded already cannot be checked; the message says what to pass."""
    with pytest.raises(InvalidArgumentError, match="bytes as they came"):
        unwrap('{"a":1}', "x", SECRET)  # type: ignore[arg-type]


def test_a_header_in_bytes_is_refused() -> None:
    """A header as ASGI holds it is named as what is wrong, and not taken for a wrong signature."""
    with pytest.raises(InvalidArgumentError, match="header's text, got bytes"):
        verify(b"{}", sign(b"{}", SECRET).encode(), SECRET)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'\xef\xbb\xbf{"id":"whs_1"}', "whs_1"),
        (b'{"id":"whs_1","id":"whs_2"}', "whs_2"),
        (b'{"id":"whs_1","data":null}', "whs_1"),
        (b'{"id":null,"event":null,"of":%s1%s}' % (b"[" * 900, b"]" * 900), None),
        (b'{"id":"whs_1","data":{"a":%s1%s}}' % (b"[" * 900, b"]" * 900), "whs_1"),
        (b'{"id":"whs_1","data":{"a":"%s"}}' % (b"x" * 10**6), "whs_1"),
    ],
)
def test_an_odd_body_is_read(body: bytes, expected: str | None) -> None:
    """A byte order mark, keys that come twice, nulls, depth and size stop no event."""
    assert unwrap(body, sign(body, SECRET), SECRET).id == expected


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 10**6,
        b'{"a":' * 10**6,
        b'"' + b'\\"' * 10**6,
        b"\\" * 10**6,
        b' "' * 10**6,
        b"{ " * 10**6,
    ],
    ids=lambda body: repr(body[:6]),
)
def test_a_forged_body_costs_no_more_than_its_length(body: bytes) -> None:
    """Whoever knows no secret cannot keep a service busy; an unclosed string took hours once."""
    with pytest.raises(WebhookSignatureError):
        verify(body, "0" * 64, SECRET)


@pytest.mark.parametrize(
    ("signature", "secret"), [("x", "s3cr3t"), ("x", ["s3cr3t"]), ("x", ["s3cr3t", ""])]
)
def test_no_frame_shows_the_secret(signature: str, secret: Any) -> None:
    """An error tracker that records local variables sees no secret in a frame of the library."""
    with pytest.raises(VoucherifyError) as caught:
        unwrap(b"{}", signature, secret)
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    ours = [frame for frame in frames if frame.f_globals["__name__"].startswith("voucherify")]
    assert len(ours) > 1
    assert not [frame for frame in ours if "s3cr3t" in repr(frame.f_locals)]
