"""What became of an import: its job, known by its codes."""

from __future__ import annotations

from .._conversion.converter import structure_at
from .._protocol.routes import GET_ASYNC_ACTION
from ..models.async_actions import AsyncAction
from .evidence import Absent, Done, Evidence, Look, Lost, Unclear
from .imports import ImportFinder, SentImport


async def find_import(lost: Lost, look: Look) -> Evidence:
    """Look through the jobs since for the one that imported the codes that were sent."""
    if not isinstance(lost.sent, list):
        return Unclear("What was in the file is not known any more")
    codes = [str(item["code"]) for item in lost.sent]
    sent = SentImport(lost.route, codes, lost.sent_at)
    finding = await ImportFinder(look.caller, sent, look.options).look(absence_counts=True)
    look.looked_at.append("GET /v1/async-actions")
    if finding.status == "not_done":
        return Absent("No job since holds the codes that were sent")
    if finding.job_id is None:
        return Unclear(finding.note)
    job = await look.read(GET_ASYNC_ACTION(id=finding.job_id))
    return Done(structure_at(AsyncAction, job))
