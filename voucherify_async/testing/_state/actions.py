"""Async actions: done at once, reported in stages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from .._messages import JsonObject
from .._refusals import not_found
from .ids import Ids
from .server_time import ServerTime, iso

_PROCESSING = timedelta(milliseconds=120)
_PATIENCE = timedelta(milliseconds=1)


@dataclass(slots=True, eq=False)
class StoredAction:
    """One async action; ``polls`` is how many reads answer less than its end."""

    id: str
    type: str
    created: datetime
    request_id: str
    result: JsonObject
    failed: bool
    polls: int
    reads: int = 0

    @property
    def status(self) -> str:
        """The status that the latest read told."""
        if self.reads > self.polls or self.polls == 0:
            return "FAILED" if self.failed else "DONE"
        return "ENQUEUED" if self.reads <= 1 else "IN_PROGRESS"

    def render(self, *, listed: bool = False) -> JsonObject:
        """Return the JSON object that the API serves, shorter in a list."""
        status = self.status
        ended = status in ("DONE", "FAILED")
        served: JsonObject = {"id": self.id, "type": self.type, "status": status}
        if ended and not listed:
            if self.type in ("VOUCHERS.BULK_UPDATE", "VOUCHERS.METADATA_UPDATE"):
                served["operation_status"] = "FAILED" if self.failed else "SUCCESS"
            served["result"] = self.result
        served["created_at"] = iso(self.created)
        served["updated_at"] = iso(self.created + _PROCESSING) if ended else None
        served["request_id"] = self.request_id
        served["progress"] = 100 if ended else 100 * max(self.reads - 1, 0) // (self.polls + 1)
        if ended and not listed:
            served["processing_time"] = _PROCESSING // timedelta(milliseconds=1)
        served["object"] = "async_action"
        return served


class ActionStore:
    """Every async action, oldest first."""

    def __init__(self, ids: Ids, clock: ServerTime) -> None:
        self._ids = ids
        self._clock = clock
        self._actions: dict[str, StoredAction] = {}
        self._failures: list[str] = []
        self.has_more_shown = True

    def fail_next(self, message: str) -> None:
        """Let the next action end FAILED, without effect."""
        self._failures.append(message)

    def submit(
        self, kind: str, request_id: str, polls: int, work: Callable[[], JsonObject]
    ) -> StoredAction:
        """Do the work of an action and return it, to be reported in stages."""
        created = self._clock.now()
        if self._actions:
            # Listings page by end_date, which excludes its own instant: no two may be equal.
            created = max(created, next(reversed(self._actions.values())).created + _PATIENCE)
        failed = bool(self._failures)
        result: JsonObject = {"message": self._failures.pop(0)} if failed else work()
        identifier = self._ids.ordered("aa")
        action = StoredAction(identifier, kind, created, request_id, result, failed, polls)
        self._actions[identifier] = action
        return action

    def read(self, identifier: str) -> StoredAction:
        """Return an action one stage further than the last read, or raise the API's 404."""
        action = self._actions.get(identifier)
        if action is None:
            raise not_found("async_action", identifier)
        action.reads += 1
        return action

    def before(self, instant: datetime | None, limit: int) -> tuple[list[StoredAction], bool]:
        """Return the newest actions before an instant, and whether there are older ones."""
        found = [
            action
            for action in reversed(self._actions.values())
            if instant is None or action.created < instant
        ]
        return found[:limit], len(found) > limit
