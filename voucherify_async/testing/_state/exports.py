"""Exports: written when they are ordered, reported in stages, downloaded with a token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .._messages import JsonObject
from .._refusals import not_found
from .ids import Ids
from .server_time import ServerTime, iso


@dataclass(slots=True, eq=False)
class StoredExport:
    """One export; ``polls`` is how many reads answer less than DONE."""

    id: str
    token: str
    created: datetime
    exported_object: str
    parameters: JsonObject
    content: bytes
    polls: int
    failed: bool = False
    reads: int = 0

    @property
    def status(self) -> str:
        """The status that the latest read told."""
        if self.reads > self.polls:
            return "ERROR" if self.failed else "DONE"
        return "SCHEDULED" if self.reads <= 1 else "IN_PROGRESS"

    def render(self, origin: str) -> JsonObject:
        """Return the JSON object that the API serves; the result's URL is under ``origin``."""
        status = self.status
        url = f"{origin}/v1/exports/{self.id}?token={self.token}"
        return {
            "id": self.id,
            "object": "export",
            "created_at": iso(self.created),
            "status": status,
            "channel": "API",
            "exported_object": self.exported_object,
            "parameters": self.parameters,
            "result": {"url": url} if status == "DONE" else None,
            "user_id": None,
        }


class ExportStore:
    """Every export, oldest first."""

    def __init__(self, ids: Ids, clock: ServerTime) -> None:
        self._ids = ids
        self._clock = clock
        self._exports: dict[str, StoredExport] = {}
        self.failures: int = 0

    def order(
        self, exported_object: str, parameters: JsonObject, content: bytes, polls: int
    ) -> StoredExport:
        """Add an export whose file is already written."""
        export = StoredExport(
            self._ids.long("exp", 24),
            self._ids.text(64),
            self._clock.now(),
            exported_object,
            parameters,
            content,
            polls,
            failed=self.failures > 0,
        )
        self.failures = max(self.failures - 1, 0)
        self._exports[export.id] = export
        return export

    def find(self, identifier: str) -> StoredExport | None:
        """Return the export with this id, or None."""
        return self._exports.get(identifier)

    def get(self, identifier: str) -> StoredExport:
        """Return the export with this id, or raise the API's 404."""
        export = self._exports.get(identifier)
        if export is None:
            raise not_found("export", identifier)
        return export

    def remove(self, identifier: str) -> None:
        """Delete an export, or raise the API's 404."""
        del self._exports[self.get(identifier).id]

    def listed(self, order: str) -> list[StoredExport]:
        """Return every export, sorted."""
        found = list(self._exports.values())
        if order.removeprefix("-") == "status":
            found.sort(key=lambda export: export.status)
        return found[::-1] if order.startswith("-") else found
