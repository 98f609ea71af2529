from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucherify_async.testing._checkout.discounts import effect_of
from voucherify_async.testing._checkout.orders import Cart, cart_of

ITEMS = [
    {"product_id": "prod_a", "quantity": 1, "price": 2000},
    {"product_id": "prod_b", "quantity": 2, "price": 4000},
    {"sku_id": "sku_c", "quantity": 1, "price": 5000, "sku": {"source_id": "crm-c"}},
]
"""15,000 in all: lines of 2,000, 8,000 and 5,000."""
PRICES = {"prod_x": 700}


def amount(off: int, effect: str = "APPLY_TO_ORDER", **more: Any) -> dict[str, Any]:
    """A discount of an amount."""
    return {"type": "AMOUNT", "amount_off": off, "effect": effect, **more}


def percent(off: float, effect: str = "APPLY_TO_ORDER", **more: Any) -> dict[str, Any]:
    """A discount of a share."""
    return {"type": "PERCENT", "percent_off": off, "effect": effect, **more}


def fixed(price: int, effect: str = "APPLY_TO_ORDER") -> dict[str, Any]:
    """A fixed price."""
    return {"type": "FIXED", "fixed_amount": price, "effect": effect}


def unit(off: int, kind: str, effect: str, **more: Any) -> dict[str, Any]:
    """Free units."""
    return {"type": "UNIT", "unit_off": off, "unit_type": kind, "effect": effect, **more}


@pytest.mark.parametrize(
    ("discount", "order", "taken"),
    [
        (amount(1000), {"amount": 5000}, 1000),
        (amount(6000), {"amount": 5000}, 5000),
        (amount(0), {"amount": 5000}, 0),
        ({"type": "AMOUNT", "amount_off": 1000}, {"amount": 5000}, 1000),
        (percent(10), {"amount": 5005}, 501),
        (percent(12.5), {"amount": 1000}, 125),
        (percent(100), {"amount": 5000}, 5000),
        (percent(150), {"amount": 5000}, 5000),
        (percent(50, amount_limit=600), {"amount": 5000}, 600),
        (fixed(1200), {"amount": 5000}, 3800),
        (fixed(9000), {"amount": 5000}, 0),
        (fixed(0), {"amount": 5000}, 5000),
        # The sum of the items where no amount is given, less what was taken off before.
        (percent(10), {"items": ITEMS}, 1500),
        (percent(10), {"items": ITEMS, "discount_amount": 5000}, 1000),
        (amount(900), {"items": ITEMS, "discount_amount": 14_500}, 500),
    ],
)
def test_discounts_on_the_order(
    discount: dict[str, Any], order: dict[str, Any], taken: int
) -> None:
    """A discount on the order takes off what it says, and never more than is left."""
    cart = cart_of(order)
    before = cart.left
    cart.apply(effect_of(discount, cart, {}))
    assert (cart.applied, cart.left) == (taken, before - taken)


@pytest.mark.parametrize(
    ("discount", "targets", "taken"),
    [
        (amount(1000, "APPLY_TO_ITEMS"), (), [1000, 1000, 1000]),
        (amount(3000, "APPLY_TO_ITEMS"), (), [2000, 3000, 3000]),
        (amount(1000, "APPLY_TO_ITEMS"), ("prod_b",), [0, 1000, 0]),
        (amount(1000, "APPLY_TO_ITEMS"), ("crm-c", "nothing"), [0, 0, 1000]),
        (amount(1000, "APPLY_TO_ITEMS"), ("nothing",), [0, 0, 0]),
        (amount(1000, "APPLY_TO_ITEMS_BY_QUANTITY"), (), [1000, 2000, 1000]),
        (amount(1500, "APPLY_TO_ITEMS_PROPORTIONALLY"), (), [200, 800, 500]),
        (amount(1000, "APPLY_TO_ITEMS_PROPORTIONALLY"), ("prod_a", "prod_b"), [200, 800, 0]),
        (amount(100, "APPLY_TO_ITEMS_PROPORTIONALLY"), (), [14, 53, 33]),
        (amount(1000, "APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY"), (), [250, 500, 250]),
        (percent(50, "APPLY_TO_ITEMS"), (), [1000, 4000, 2500]),
        (percent(50, "APPLY_TO_ITEMS", amount_limit=1500), (), [1000, 1500, 1500]),
        (percent(50, "APPLY_TO_ITEMS", aggregated_amount_limit=3000), (), [1000, 2000, 0]),
        (fixed(1500, "APPLY_TO_ITEMS"), (), [500, 5000, 3500]),
        (fixed(3000, "APPLY_TO_ITEMS"), (), [0, 2000, 2000]),
    ],
)
def test_discounts_on_items(
    discount: dict[str, Any], targets: tuple[str, ...], taken: list[int]
) -> None:
    """A discount on items takes off each line what its effect says, down to zero."""
    cart = cart_of({"items": ITEMS})
    cart.apply(effect_of(discount, cart, {}, targets))
    assert [line.applied for line in cart.lines] == taken
    totals = cart.totals()
    assert totals.get("items_applied_discount_amount", 0) == sum(taken)
    assert totals["total_amount"] == 15_000 - sum(taken)
    assert [item["subtotal_amount"] for item in totals["items"]] == [
        item["amount"] - off for item, off in zip(totals["items"], taken, strict=True)
    ]


@pytest.mark.parametrize(
    ("discount", "changed"),
    [
        # By unit: quantity, amount and discount of the line.
        (unit(1, "prod_b", "ADD_MISSING_ITEMS"), {"prod_b": (2, 8000, 4000)}),
        (unit(3, "prod_b", "ADD_MISSING_ITEMS"), {"prod_b": (3, 12_000, 12_000)}),
        (unit(1, "prod_b", "ADD_NEW_ITEMS"), {"prod_b": (3, 12_000, 4000)}),
        (unit(2, "prod_x", "ADD_NEW_ITEMS"), {"prod_x": (2, 1400, 1400)}),
        (unit(2, "prod_x", "ADD_MISSING_ITEMS"), {"prod_x": (2, 1400, 1400)}),
        (unit(1, "prod_y", "ADD_NEW_ITEMS", product={"price": 9}), {"prod_y": (1, 9, 9)}),
        (unit(1, "sku_y", "ADD_NEW_ITEMS", sku={"price": 8}), {"sku_y": (1, 8, 8)}),
        (
            {
                "type": "UNIT",
                "effect": "ADD_MANY_ITEMS",
                "units": [
                    unit(1, "prod_a", "ADD_MISSING_ITEMS"),
                    unit(1, "prod_x", "ADD_NEW_ITEMS"),
                ],
            },
            {"prod_a": (1, 2000, 2000), "prod_x": (1, 700, 700)},
        ),
        (unit(1, "", "ADD_SAME_ITEMS"), {"prod_a": (2, 4000, 2000), "sku_c": (2, 10_000, 5000)}),
    ],
)
def test_free_units(discount: dict[str, Any], changed: dict[str, tuple[int, int, int]]) -> None:
    """Units are discounted where they are in the cart, and added where their effect says so."""
    cart = cart_of({"items": ITEMS})
    cart.apply(effect_of(discount, cart, PRICES))
    for kind, expected in changed.items():
        line = next(line for line in cart.lines if line.is_of((kind,)))
        assert (line.quantity, line.amount, line.discount) == expected
    totals = cart.totals()
    assert totals["amount"] == sum(item["amount"] for item in totals["items"])
    assert totals["total_amount"] == totals["amount"] - totals["total_discount_amount"]
    assert totals["initial_amount"] == 15_000


@pytest.mark.parametrize(
    ("first", "second", "taken"),
    [
        (percent(100), unit(1, "prod_a", "ADD_MISSING_ITEMS"), 0),
        (amount(1500, "APPLY_TO_ITEMS"), unit(1, "prod_a", "ADD_MISSING_ITEMS"), 500),
        (percent(100), amount(10, "APPLY_TO_ITEMS"), 0),
        (percent(100), unit(1, "prod_a", "ADD_NEW_ITEMS"), 2000),
        (amount(14_990), amount(10, "APPLY_TO_ITEMS"), 10),
    ],
)
def test_the_second_takes_what_the_first_left(
    first: dict[str, Any], second: dict[str, Any], taken: int
) -> None:
    """A discount after another takes no more than is still to be paid."""
    cart = cart_of({"items": ITEMS})
    cart.apply(effect_of(first, cart, PRICES))
    cart.settle()
    cart.apply(effect_of(second, cart, PRICES))
    totals = cart.totals()
    assert totals.get("total_applied_discount_amount", 0) == taken
    assert totals["total_amount"] == totals["amount"] - totals["total_discount_amount"] >= 0


def test_an_effect_that_is_forgotten_leaves_the_rest() -> None:
    """An order is calculated anew from the effects that are left, in any order."""
    cart = cart_of({"items": ITEMS})
    effects = []
    for discount in (
        unit(1, "prod_x", "ADD_NEW_ITEMS"),
        amount(1000, "APPLY_TO_ITEMS"),
        percent(10),
    ):
        effects.append(effect_of(discount, cart, PRICES))
        cart.apply(effects[-1])
    assert cart.left == 15_700 - 700 - 3000 - 1200
    rest = cart_of({"items": ITEMS}, effects[1:])
    assert (rest.amount, rest.left) == (15_000, 15_000 - 3000 - 1200)
    assert "applied_discount_amount" not in rest.totals()


DISCOUNTS = st.one_of(
    st.builds(
        amount,
        st.integers(0, 20_000),
        st.sampled_from(
            [
                "APPLY_TO_ORDER",
                "APPLY_TO_ITEMS",
                "APPLY_TO_ITEMS_BY_QUANTITY",
                "APPLY_TO_ITEMS_PROPORTIONALLY",
                "APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY",
            ]
        ),
    ),
    st.builds(percent, st.floats(0, 120), st.sampled_from(["APPLY_TO_ORDER", "APPLY_TO_ITEMS"])),
    st.builds(fixed, st.integers(0, 20_000), st.sampled_from(["APPLY_TO_ORDER", "APPLY_TO_ITEMS"])),
    st.builds(
        unit,
        st.integers(0, 4),
        st.sampled_from(["prod_0", "prod_1", "prod_x"]),
        st.sampled_from(["ADD_MISSING_ITEMS", "ADD_NEW_ITEMS"]),
    ),
)
QUANTITIES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4000)), max_size=4)


@given(lines=QUANTITIES, discounts=st.lists(DISCOUNTS, max_size=5))
def test_nothing_falls_below_zero(
    lines: list[tuple[int, int]], discounts: list[dict[str, Any]]
) -> None:
    """Whatever comes after whatever: no line and no order costs less than nothing."""
    items = [
        {"product_id": f"prod_{number}", "quantity": quantity, "price": price}
        for number, (quantity, price) in enumerate(lines)
    ]
    cart: Cart = cart_of({"items": items})
    for discount in discounts:
        cart.settle()
        cart.apply(effect_of(discount, cart, PRICES))
        totals = cart.totals()
        assert totals["total_amount"] >= 0
        assert totals["total_amount"] == totals["amount"] - totals.get("total_discount_amount", 0)
        assert all(line.left >= 0 for line in cart.lines)
