"""Customers, by id and by source id."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .._messages import JsonObject
from .ids import Ids
from .server_time import ServerTime, iso

_PROPERTIES = ("name", "description", "email", "phone", "birthday", "birthdate", "address")


@dataclass(slots=True, eq=False)
class StoredCustomer:
    """One customer; ``properties`` are those that the API keeps besides the metadata."""

    id: str
    source_id: str | None
    created_at: str
    updated_at: str | None = None
    properties: JsonObject = field(default_factory=dict)
    metadata: JsonObject = field(default_factory=dict)

    def render(self) -> JsonObject:
        """Return the customer as redemptions and orders carry it."""
        return {
            "id": self.id,
            "name": self.properties.get("name"),
            "email": self.properties.get("email"),
            "source_id": self.source_id,
            "metadata": self.metadata,
            "object": "customer",
        }


class CustomerStore:
    """Every customer that a request or a test named."""

    def __init__(self, ids: Ids, clock: ServerTime) -> None:
        self._ids = ids
        self._clock = clock
        self._by_id: dict[str, StoredCustomer] = {}
        self._by_source: dict[str, StoredCustomer] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[StoredCustomer]:
        return iter(list(self._by_id.values()))

    def find(self, identifier: str | None) -> StoredCustomer | None:
        """Return the customer with this id or source id, or None."""
        if identifier is None:
            return None
        return self._by_id.get(identifier) or self._by_source.get(identifier)

    def matches(self, identifier: str, customer_id: str | None) -> bool:
        """Tell whether an id or a source id means the customer with this id."""
        found = self.find(identifier)
        return customer_id is not None and customer_id in (identifier, found and found.id)

    def upsert(self, data: JsonObject) -> StoredCustomer:
        """Return the customer that ``id`` or else ``source_id`` names, changed or made."""
        identifier, source_id = data.get("id"), data.get("source_id")
        now = iso(self._clock.now())
        customer = self.find(identifier) if identifier else self.find(source_id)
        if customer is None:
            made = identifier or self._ids.long("cust", 24)
            customer = self._by_id[made] = StoredCustomer(made, source_id, now)
        else:
            customer.updated_at = now
        if source_id is not None and customer.source_id in (None, source_id):
            customer.source_id = source_id
            self._by_source[source_id] = customer
        given = {name: data[name] for name in _PROPERTIES if name in data}
        customer.properties = {**customer.properties, **given}
        customer.metadata = {**customer.metadata, **(data.get("metadata") or {})}
        return customer
