"""What became of an export that was ordered or deleted."""

from __future__ import annotations

from typing import Final

from .._conversion.converter import structure_at
from .._protocol.routes import GET_EXPORT, LIST_EXPORTS
from ..models.exports import Export
from .evidence import Absent, Done, Evidence, Look, Lost, Unclear, agrees

MAX_PAGES: Final = 10


async def find_export(lost: Lost, look: Look) -> Evidence:
    """Look through the exports since, newest first, for one of the same kind."""
    if not isinstance(lost.sent, dict):
        return Unclear("What was ordered is not known any more")
    found: list[Export] = []
    for page in range(1, MAX_PAGES + 1):
        query = {"limit": 100, "page": page, "order": "-created_at"}
        items = (await look.read(LIST_EXPORTS(), query)).items
        exports = [structure_at(Export, item) for item in items]
        made_since = [lost.was_before(export.created_at) for export in exports]
        found += [
            export
            for export, item, is_new in zip(exports, items, made_since, strict=True)
            if is_new and agrees(lost.sent, item)
        ]
        if not all(made_since) or len(items) < 100:
            break
    else:
        return Unclear("There are more exports than could be looked through")
    if len(found) > 1:
        return Unclear("Several exports like it were ordered since")
    return Done(found[0]) if found else Absent("No export like it was ordered since")


async def find_deletion(lost: Lost, look: Look) -> Evidence:
    """Read it back: is it gone?"""
    if await look.read_or_none(GET_EXPORT(**lost.values)) is None:
        return Done()
    return Absent("It is still there")
