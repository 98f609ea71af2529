"""What happened, as Voucherify's webhooks would tell it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import orjson

from .._messages import JsonObject
from .ids import Ids
from .server_time import ServerTime, iso

_PROJECT = "proj_fake"
_WEBHOOK = "wh_fake"


class EventLog:
    """Every event, oldest first: each as it was when it happened."""

    def __init__(self, ids: Ids, clock: ServerTime) -> None:
        self._ids = ids
        self._clock = clock
        # As bytes, so that no later change of what they are about reaches them.
        self._events: list[tuple[str, bytes]] = []
        self._source: JsonObject = {}
        self.kept = True

    def begin(self, request_id: str, app_id: str | None) -> None:
        """Note the request that causes the next events."""
        source: JsonObject = {"channel": "API"}
        if app_id is not None:
            source["api_key"] = {"name": "Fake", "app_id": app_id}
        self._source = {"group_id": request_id, "event_source": source}

    def record(self, kind: str, entity_id: str | None, data: JsonObject) -> None:
        """Keep an event, such as ``voucher.created``."""
        if self.kept:
            event = self.complete({"type": kind, "data": data}, entity_id=entity_id)
            self._events.append((kind, orjson.dumps(event)))

    def complete(self, event: Mapping[str, object], *, entity_id: str | None = None) -> JsonObject:
        """Return an event with all that its envelope has before it is delivered."""
        now = iso(self._clock.now())
        occurrence: JsonObject = {
            "id": self._ids.ordered("ev"),
            "type": event["type"],
            "created_at": now,
            "entity_id": entity_id,
            "group_id": self._ids.request(),
            "event_source": {"channel": "API"},
            **self._source,
        }
        return {"project_id": _PROJECT, "created_at": now, "event": occurrence, **event}

    def addressed(self, event: Mapping[str, object], url: str) -> bytes:
        """Return an event as the body of a delivery to an address."""
        delivery = {
            "id": self._ids.ordered("whs"),
            "source": {"id": _WEBHOOK, "object": "webhook", "target_url": url},
        }
        return orjson.dumps({**delivery, **event})

    def latest(self, kind: str) -> JsonObject | None:
        """Return the newest event of a type, or None."""
        found = (event for name, event in reversed(self._events) if name == kind)
        event = next(found, None)
        return None if event is None else _decoded(event)

    def kinds(self) -> Iterable[str]:
        """Return the types that have occurred, in the order of their first event."""
        return dict.fromkeys(name for name, _ in self._events)

    def all(self) -> list[JsonObject]:
        """Return every event, oldest first."""
        return [_decoded(event) for _, event in self._events]

    def clear(self) -> None:
        """Forget every event."""
        self._events.clear()


def _decoded(event: bytes) -> JsonObject:
    decoded: JsonObject = orjson.loads(event)
    return decoded
