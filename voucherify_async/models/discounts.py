"""Discounts: a union of one class a kind, told apart by ``type``."""

# A literal beside `str` names the values that are known today.
# ruff: noqa: PYI051
# A function that makes an attrs field is called once a class, as it should be.
# ruff: noqa: RUF009

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from attrs import frozen

from .._conversion.marks import Tagged
from ._base import Model, Number, json_key, needed
from .references import NamedReference

AmountEffect: TypeAlias = (
    Literal[
        "APPLY_TO_ORDER",
        "APPLY_TO_ITEMS",
        "APPLY_TO_ITEMS_PROPORTIONALLY",
        "APPLY_TO_ITEMS_PROPORTIONALLY_BY_QUANTITY",
        "APPLY_TO_ITEMS_BY_QUANTITY",
    ]
    | str
)
"""What an amount discount is taken off; the API may add values."""

PercentEffect: TypeAlias = Literal["APPLY_TO_ORDER", "APPLY_TO_ITEMS"] | str
"""What a percent discount is taken off; the API may add values."""

FixedEffect: TypeAlias = Literal["APPLY_TO_ORDER", "APPLY_TO_ITEMS"] | str
"""What gets the fixed price; the API may add values."""

UnitEffect: TypeAlias = Literal["ADD_MISSING_ITEMS", "ADD_NEW_ITEMS", "ADD_SAME_ITEMS"] | str
"""How free units enter the order; the API may add values."""


@frozen(kw_only=True, repr=False)
class AmountDiscount(Model):
    """A sum of money off. Part of vouchers, in answers and requests."""

    type: Literal["AMOUNT"] = "AMOUNT"
    """The tag of this kind of discount."""
    amount_off: Number | None = needed()
    """Sum taken off, in minor currency units; a request needs it."""
    amount_off_formula: str | None = None
    """Formula that computes the sum from the order and the customer."""
    aggregated_amount_limit: int | None = None
    """Most that is taken off one order, in minor currency units."""
    effect: AmountEffect | None = None
    """What the sum is taken off: the order or its items."""
    is_dynamic: bool | None = None
    """Whether a formula computed the sum."""


@frozen(kw_only=True, repr=False)
class PercentDiscount(Model):
    """A percentage off. Part of vouchers, in answers and requests."""

    type: Literal["PERCENT"] = "PERCENT"
    """The tag of this kind of discount."""
    percent_off: Number | None = needed()
    """Percentage taken off: 10 is 10%; a request needs it."""
    percent_off_formula: str | None = None
    """Formula that computes the percentage from the order and the customer."""
    amount_limit: Number | None = None
    """Most that the percentage may come to, in minor currency units."""
    aggregated_amount_limit: int | None = None
    """Most that is taken off one order, in minor currency units."""
    effect: PercentEffect | None = None
    """What the percentage is taken off: the order or its items."""
    is_dynamic: bool | None = None
    """Whether a formula computed the percentage."""


@frozen(kw_only=True, repr=False)
class FixedDiscount(Model):
    """A fixed price for the order or an item. Part of vouchers, in answers and requests."""

    type: Literal["FIXED"] = "FIXED"
    """The tag of this kind of discount."""
    fixed_amount: Number | None = needed()
    """Price, in minor currency units; the fallback of the formula; a request needs it."""
    fixed_amount_formula: str | None = None
    """Formula that computes the price from the order and the customer."""
    effect: FixedEffect | None = None
    """What gets the price: the order or its items."""
    is_dynamic: bool | None = None
    """Whether a formula computed the price."""


@frozen(kw_only=True, repr=False)
class DiscountItem(NamedReference):
    """The product, or the variant of one, that a unit discount gives away."""

    source_id: str | None = None
    """Id of it in the merchant's own system."""


@frozen(kw_only=True, repr=False)
class _FreeUnits(Model):
    """Free units of one product or SKU."""

    unit_off: Number | None = None
    """How many units are free."""
    unit_off_formula: str | None = None
    """Formula that computes the number of free units."""
    unit_type: str | None = needed()
    """Id of the product or SKU that is free; a request needs it."""
    product: DiscountItem | None = None
    """The free product."""
    sku: DiscountItem | None = None
    """The free variant of a product."""


@frozen(kw_only=True, repr=False)
class UnitDiscount(_FreeUnits):
    """Free units of one product or SKU. Part of vouchers, in answers and requests."""

    type: Literal["UNIT"] = "UNIT"
    """The tag of this kind of discount, shared with `MultipleUnitDiscount`."""
    effect: UnitEffect | None = None
    """How the free units enter the order."""
    is_dynamic: bool | None = None
    """Whether a formula computed the number of units."""


@frozen(kw_only=True, repr=False)
class DiscountedUnit(_FreeUnits):
    """Free units of one product or SKU among several; part of `MultipleUnitDiscount`."""

    effect: UnitEffect | None = needed()
    """How the free units enter the order; a request needs it."""


@frozen(kw_only=True, repr=False)
class MultipleUnitDiscount(Model):
    """Free units of several products or SKUs. Part of vouchers, in answers and requests."""

    type: Literal["UNIT"] = "UNIT"
    """The tag of this kind of discount, shared with `UnitDiscount`."""
    effect: Literal["ADD_MANY_ITEMS"] | str | None = "ADD_MANY_ITEMS"
    """How the free units enter the order; each of the `units` says more."""
    units: Sequence[DiscountedUnit] | None = needed()
    """The free units; a request needs them."""
    is_dynamic: bool | None = None
    """Whether a formula computed a number of units."""


@frozen(kw_only=True, repr=False)
class UnknownDiscount(Model):
    """A discount of a kind that this version of the library does not know; see its `extra`."""

    type: ClassVar[None] = None
    """Always None, so that type checkers tell it from the known kinds; see `tag`."""
    tag: str | None = json_key("type")
    """The ``type`` as it came, or None where none came."""


def _units(data: Mapping[str, Any]) -> type[Model]:
    if data.get("units") is None and data.get("unit_type") is not None:
        return UnitDiscount
    several = data.get("units") is not None or data.get("effect") == "ADD_MANY_ITEMS"
    return MultipleUnitDiscount if several else UnitDiscount


Discount: TypeAlias = Annotated[
    AmountDiscount
    | PercentDiscount
    | UnitDiscount
    | MultipleUnitDiscount
    | FixedDiscount
    | UnknownDiscount,
    Tagged(
        "type",
        {
            "AMOUNT": AmountDiscount,
            "PERCENT": PercentDiscount,
            "UNIT": _units,
            "FIXED": FixedDiscount,
        },
        UnknownDiscount,
    ),
]
"""A discount of any kind, told apart by ``type`` and, for free units, by ``units``."""

__all__ = [
    "AmountDiscount",
    "AmountEffect",
    "Discount",
    "DiscountItem",
    "DiscountedUnit",
    "FixedDiscount",
    "FixedEffect",
    "MultipleUnitDiscount",
    "PercentDiscount",
    "PercentEffect",
    "UnitDiscount",
    "UnitEffect",
    "UnknownDiscount",
]
