"""Redemptions and rollbacks, successful and failed, as the API serves them."""

from __future__ import annotations

from collections.abc import Iterator

from .._messages import JsonObject
from .._refusals import not_found


class RedemptionStore:
    """Every redemption and rollback, oldest first."""

    def __init__(self) -> None:
        self._by_id: dict[str, JsonObject] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[JsonObject]:
        return iter(list(self._by_id.values()))

    def add(self, entry: JsonObject) -> None:
        """Keep an entry."""
        self._by_id[entry["id"]] = entry

    def get(self, identifier: str) -> JsonObject:
        """Return the entry with this id, or raise the API's 404."""
        if identifier not in self._by_id:
            raise not_found("redemption", identifier)
        return self._by_id[identifier]

    def children(self, parent: str) -> list[JsonObject]:
        """Return the redemptions of a stack."""
        return [
            entry
            for entry in self
            if entry["object"] == "redemption" and entry.get("redemption") == parent
        ]

    def uses_by(self, customer_id: str, resource: str) -> int:
        """Return how often a customer has used a redeemable, without what was rolled back."""
        return sum(
            entry["object"] == "redemption"
            and entry["status"] == "SUCCEEDED"
            and entry["related_object_id"] == resource
            and entry["customer_id"] == customer_id
            for entry in self
        )
