"""Customers, as orders, redemptions and vouchers hold them and as requests name them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from attrs import frozen

from ._base import Model, Record


@frozen(kw_only=True, repr=False)
class CustomerAddress(Model):
    """The address of a customer."""

    city: str | None = None
    """Name of the city."""
    state: str | None = None
    """Name of the state or province."""
    line_1: str | None = None
    """First line, such as the street."""
    line_2: str | None = None
    """Second line, such as the floor."""
    country: str | None = None
    """Name or code of the country."""
    postal_code: str | None = None
    """Postal code."""


@frozen(kw_only=True, repr=False)
class Customer(Record):
    """A customer, in answers and requests; a request needs `id` or `source_id`.

    A request creates the customer, or changes what it gives; answers of other namespaces than
    customers' own hold a few fields only.
    """

    source_id: str | None = None
    """Id of the customer in the merchant's own system."""
    name: str | None = None
    """First and last name."""
    description: str | None = None
    """Free text of the merchant."""
    email: str | None = None
    """Email address."""
    phone: str | None = None
    """Phone number."""
    birthday: date | None = None
    """Day of birth; the API's older name."""
    birthdate: date | None = None
    """Day of birth."""
    address: CustomerAddress | None = None
    """Where the customer lives."""
    metadata: Mapping[str, Any] | None = None
    """The merchant's own attributes."""


__all__ = ["Customer", "CustomerAddress"]
