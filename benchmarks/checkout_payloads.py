"""A checkout of two codes as the benchmark server answers it, and what is sent for it."""

from __future__ import annotations

from typing import Any

from . import payloads

CODES = ["STACK-1", "STACK-2"]
_CUSTOMER = "cust_4hTz8PqLm2XcVb7NyRk5Ws1D"
_CENTS = 300
_MADE = "2026-05-21T17:40:03.902Z"


def request(source_id: str) -> dict[str, Any]:
    """The documented body of a validation and of a redemption."""
    return {
        "redeemables": [{"object": "voucher", "id": code} for code in CODES],
        "order": {
            "source_id": source_id,
            "amount": 5_500,
            "items": [
                {"product_id": f"prod_{n}", "quantity": n, "price": price}
                for n, price in ((1, 1_500), (2, 2_000))
            ],
        },
        "customer": {"source_id": "anna"},
        "metadata": {"channel": "web"},
    }


def validation(codes: list[str]) -> dict[str, Any]:
    """All of them apply, to an order of two items."""
    return {
        "valid": True,
        "redeemables": [_applicable(code, n + 1) for n, code in enumerate(codes)],
        "skipped_redeemables": [],
        "inapplicable_redeemables": [],
        "order": _order(len(codes)),
        "tracking_id": "track_3vYb8Lq0Tz",
        "session": None,
        "stacking_rules": _rules(),
    }


def redemption(codes: list[str]) -> dict[str, Any]:
    """All of them were redeemed, under one parent."""
    order = {**_order(len(codes)), "id": "ord_8sJq2Lm4", "status": "PAID", "created_at": _MADE}
    parent = {**_redeemed("r_parent", order), "related_object_type": "redemption"}
    children = [
        {
            **_redeemed(f"r_{n}", order),
            "redemption": "r_parent",
            "related_object_type": "voucher",
            "related_object_id": f"v_{code}",
            "voucher": payloads.voucher(code),
        }
        for n, code in enumerate(codes, 1)
    ]
    return {
        "redemptions": children,
        "parent_redemption": parent,
        "order": order,
        "inapplicable_redeemables": [],
        "skipped_redeemables": [],
    }


def validation_bytes(count: int) -> bytes:
    """A validation of so many redeemables."""
    return payloads.encode(validation([f"STACK-{n + 1}" for n in range(count)]))


def redemption_bytes() -> bytes:
    """What became of `request`."""
    return payloads.encode(redemption(CODES))


def _applicable(code: str, place: int) -> dict[str, Any]:
    products = [
        {
            "object": "product",
            "id": f"prod_{n}",
            "source_id": f"sku-{n}",
            "effect": "APPLY_TO_EVERY",
        }
        for n in (1, 2)
    ]
    return {
        "status": "APPLICABLE",
        "id": code,
        "object": "voucher",
        "order": _order(place),
        "applicable_to": _list(products),
        "inapplicable_to": _list([]),
        "result": {
            "discount": {
                "type": "AMOUNT",
                "effect": "APPLY_TO_ORDER",
                "amount_off": _CENTS,
                "is_dynamic": False,
            }
        },
        "metadata": {"channel": "newsletter"},
        "categories": [],
    }


def _list(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"object": "list", "data_ref": "data", "data": items, "total": len(items)}


def _order(discounts: int) -> dict[str, Any]:
    """The order after so many of the discounts."""
    off = _CENTS * discounts
    return {
        "amount": 5_500,
        "discount_amount": off,
        "total_discount_amount": off,
        "total_amount": 5_500 - off,
        "applied_discount_amount": _CENTS,
        "total_applied_discount_amount": off,
        "items": [_item(1, 1_500), _item(2, 2_000)],
        "metadata": {},
        "customer_id": _CUSTOMER,
        "referrer_id": None,
        "object": "order",
    }


def _item(number: int, price: int) -> dict[str, Any]:
    return {
        "object": "order_item",
        "product_id": f"prod_{number}",
        "quantity": number,
        "amount": number * price,
        "price": price,
        "subtotal_amount": number * price,
        "product": {"id": f"prod_{number}", "source_id": f"sku-{number}", "name": "Tea, loose"},
    }


def _redeemed(name: str, order: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": name,
        "object": "redemption",
        "date": _MADE,
        "customer_id": _CUSTOMER,
        "tracking_id": "track_3vYb8Lq0Tz",
        "metadata": {"channel": "web"},
        "result": "SUCCESS",
        "status": "SUCCEEDED",
        "order": order,
        "customer": {
            "id": _CUSTOMER,
            "name": "Anna Berg",
            "email": "anna@example.com",
            "source_id": "anna",
            "metadata": {},
            "object": "customer",
        },
    }


def _rules() -> dict[str, Any]:
    return {
        "redeemables_limit": 30,
        "applicable_redeemables_limit": 5,
        "applicable_redeemables_per_category_limit": 1,
        "applicable_exclusive_redeemables_limit": 1,
        "applicable_exclusive_redeemables_per_category_limit": 1,
        "exclusive_categories": [],
        "joint_categories": [],
        "redeemables_application_mode": "ALL",
        "redeemables_sorting_rule": "REQUESTED_ORDER",
    }
