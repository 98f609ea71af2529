"""Filters: which records a listing or an export contains."""

# A literal beside `str` names the values that are known today.
# ruff: noqa: PYI051
# A function that makes an attrs field is called once a class, as it should be.
# ruff: noqa: RUF009

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, TypeAlias

from attrs import frozen

from ._base import Model, json_key

Junction: TypeAlias = Literal["and", "or"] | str
"""Whether all filters must hold or any of them; answers also write it in capitals."""

FilterOperand: TypeAlias = Sequence[Any] | str | float | bool | datetime
"""What an operator compares with: values of any kind, as an array, or alone in some answers."""


@frozen(kw_only=True, repr=False)
class FilterConditions(Model):
    """Operators and what each compares with; all of them must hold."""

    in_: FilterOperand | None = json_key("$in")
    """Is one of these."""
    not_in: FilterOperand | None = json_key("$not_in")
    """Is none of these."""
    is_: FilterOperand | None = json_key("$is")
    """Is this."""
    is_not: FilterOperand | None = json_key("$is_not")
    """Is not this."""
    is_days_ago: FilterOperand | None = json_key("$is_days_ago")
    """Lies this many days back."""
    is_days_in_future: FilterOperand | None = json_key("$is_days_in_future")
    """Lies this many days ahead."""
    has_value: FilterOperand | None = json_key("$has_value")
    """Is not null; compares with an empty string."""
    is_unknown: FilterOperand | None = json_key("$is_unknown")
    """Is null; compares with an empty string."""
    contains: FilterOperand | None = json_key("$contains")
    """Contains this text."""
    not_contain: FilterOperand | None = json_key("$not_contain")
    """Does not contain this text."""
    starts_with: FilterOperand | None = json_key("$starts_with")
    """Begins with this text."""
    ends_with: FilterOperand | None = json_key("$ends_with")
    """Ends with this text."""
    more_than: FilterOperand | None = json_key("$more_than")
    """Is greater than this."""
    less_than: FilterOperand | None = json_key("$less_than")
    """Is less than this."""
    more_than_equal: FilterOperand | None = json_key("$more_than_equal")
    """Is this or greater."""
    less_than_equal: FilterOperand | None = json_key("$less_than_equal")
    """Is this or less."""
    more_than_ago: FilterOperand | None = json_key("$more_than_ago")
    """Lies more than this many days back."""
    less_than_ago: FilterOperand | None = json_key("$less_than_ago")
    """Lies less than this many days back."""
    more_than_future: FilterOperand | None = json_key("$more_than_future")
    """Lies more than this many days ahead."""
    less_than_future: FilterOperand | None = json_key("$less_than_future")
    """Lies less than this many days ahead."""
    after: FilterOperand | None = json_key("$after")
    """Is after this instant."""
    before: FilterOperand | None = json_key("$before")
    """Is before this instant."""
    count: FilterOperand | None = json_key("$count")
    """Has this many."""
    count_less: FilterOperand | None = json_key("$count_less")
    """Has fewer than this."""
    count_more: FilterOperand | None = json_key("$count_more")
    """Has more than this."""


@frozen(kw_only=True, repr=False)
class FieldConditions(Model):
    """What must hold for one field of the records."""

    conditions: FilterConditions | None = None
    """The operators and what they compare with."""


__all__ = ["FieldConditions", "FilterConditions", "FilterOperand", "Junction"]
