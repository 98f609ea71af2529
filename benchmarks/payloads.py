"""What the benchmark server answers with and what the import sends."""

from __future__ import annotations

import json
from typing import Any

PAGE = 100
_VOUCHER = "v_9xKq2mBv7LtRz4WcYp1HdNs6JfUg3EaX"
_ASSET = "Zm9yIHRoZSBiZW5jaG1hcmsgb25seSwg"
_MADE, _CHANGED = "2026-02-03T09:15:42.118Z", "2026-05-21T17:40:03.902Z"


def voucher(code: str = "SUMMER-10") -> dict[str, Any]:
    """A discount voucher of 1.6 kB, as `GET /v1/vouchers/{code}` answers it."""
    return {
        "id": _VOUCHER,
        "code": code,
        "campaign": None,
        "campaign_id": None,
        "category": "Seasonal",
        "category_id": "cat_0d1b52f3a98c7e64b0",
        "categories": [_category()],
        "type": "DISCOUNT_VOUCHER",
        "discount": {
            "type": "AMOUNT",
            "amount_off": 1_000,
            "effect": "APPLY_TO_ORDER",
        },
        "gift": None,
        "loyalty_card": None,
        "start_date": "2026-06-01T00:00:00.000Z",
        "expiration_date": "2026-09-01T00:00:00.000Z",
        "validity_timeframe": None,
        "validity_day_of_week": [1, 2, 3, 4, 5],
        "active": True,
        "additional_info": "Ten off, once a customer, while the summer lasts.",
        "metadata": {"channel": "newsletter", "batch": 17, "test": False},
        "assets": {kind: _asset(kind) for kind in ("qr", "barcode")},
        "is_referral_code": False,
        "created_at": _MADE,
        "updated_at": _CHANGED,
        "holder_id": "cust_4hTz8PqLm2XcVb7NyRk5Ws1D",
        **_uses(f"/v1/vouchers/{code}"),
        "object": "voucher",
    }


def _category() -> dict[str, Any]:
    return {
        "id": "cat_0d1b52f3a98c7e64b0",
        "name": "Seasonal",
        "hierarchy": 1,
        "created_at": _MADE,
        "object": "category",
    }


def _asset(kind: str) -> dict[str, Any]:
    return {"id": f"{kind}{_ASSET}", "url": f"https://assets.example/v1/{kind}/{_ASSET}"}


def _uses(path: str) -> dict[str, Any]:
    return {
        "validation_rules_assignments": {
            "object": "list",
            "data_ref": "data",
            "data": [_assignment()],
            "total": 1,
        },
        "redemption": {
            "quantity": 1,
            "redeemed_quantity": 0,
            "object": "list",
            "url": f"{path}/redemptions?page=1&limit=10",
        },
        "publish": {
            "object": "list",
            "count": 1,
            "url": f"{path}/publications?page=1&limit=10",
        },
    }


def _assignment() -> dict[str, Any]:
    return {
        "id": "asgm_7RtYq2LmXc9VbNz1",
        "rule_id": "val_8sKd3nWq2zPx",
        "related_object_id": _VOUCHER,
        "related_object_type": "voucher",
        "created_at": _MADE,
        "object": "validation_rules_assignment",
    }


def transaction(number: int) -> dict[str, Any]:
    """One change of a gift card's balance."""
    return {
        "id": f"vtx_{number:012d}",
        "source_id": f"order-{number}",
        "voucher_id": _VOUCHER,
        "campaign_id": None,
        "source": "API",
        "reason": None,
        "type": "CREDITS_ADDITION",
        "details": {
            "balance": {
                "type": "gift_voucher",
                "total": 10_000,
                "object": "balance",
                "balance": 8_000,
                "operation_type": "MANUAL",
                "related_object": {"id": _VOUCHER, "type": "voucher"},
            }
        },
        "related_transaction_id": None,
        "created_at": _MADE,
    }


def import_item(number: int) -> dict[str, Any]:
    """One voucher of an import, half a kilobyte."""
    return {
        "code": f"IMPORT-2026-{number:08d}",
        "type": "DISCOUNT_VOUCHER",
        "category": "Seasonal",
        "start_date": "2026-06-01T00:00:00.000Z",
        "expiration_date": "2026-09-01T00:00:00.000Z",
        "active": True,
        "additional_info": "Imported from the shop's former system, where it was never used.",
        "metadata": {"channel": "newsletter", "batch": 17, "former_id": f"legacy-{number:016d}"},
        "discount": {"type": "AMOUNT", "amount_off": 1_000, "effect": "APPLY_TO_ORDER"},
        "redemption": {"quantity": 1},
    }


def encode(value: Any) -> bytes:
    """Compact JSON, as APIs send it."""
    return json.dumps(value, separators=(",", ":")).encode()


def voucher_bytes() -> bytes:
    return encode(voucher())


def page_bytes(total: int = PAGE, page: int = 1) -> bytes:
    """A page of 100 vouchers, which are on no other page."""
    numbers = range((page - 1) * PAGE, page * PAGE)
    items = [{**voucher(f"SUMMER-{number}"), "id": f"v_{number:032}"} for number in numbers]
    return encode({"object": "list", "data_ref": "vouchers", "vouchers": items, "total": total})


def transactions_bytes(first: int, *, more: bool) -> bytes:
    """A page of 100 transactions and the cursor to the next."""
    items = [transaction(first + offset) for offset in range(PAGE)]
    cursor = items[-1]["id"] if more else None
    return encode(
        {
            "object": "list",
            "data_ref": "data",
            "data": items,
            "has_more": more,
            "more_starting_after": cursor,
        }
    )
