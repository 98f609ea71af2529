"""The tables of PERFORMANCE.md: whatever a run measured stands there by itself.

Between `<!-- lookups.peers -->` and `<!-- end -->` stands that table of that scenario. Words beside
them are written by hand.
"""

from __future__ import annotations

import re
from types import ModuleType

from . import goals, machine
from .runs import Results
from .scenarios import checkout, decoding, listings, lookups, profile, quota, scale, start

SCENARIOS: dict[str, ModuleType] = {
    "lookups": lookups,
    "checkout": checkout,
    "quota": quota,
    "decoding": decoding,
    "listings": listings,
    "start": start,
    "scale": scale,
    "profile": profile,
}
_PLACE = re.compile(r"(?P<begin><!-- (?P<name>[a-z.]+) -->\n).*?(?P<end><!-- end -->)", re.DOTALL)


def filled(text: str, results: Results) -> str:
    """The text with its tables filled in.

    Raises:
        KeyError: A place names no table.
    """
    return _PLACE.sub(
        lambda place: f"{place['begin']}\n{_body(place['name'], results)}\n\n{place['end']}", text
    )


def _body(name: str, results: Results) -> str:
    if name == "run":
        return _run(results)
    if name == "goals":
        judged = results.get("goals")
        return goals.table(judged).body() if judged else "Not judged."
    scenario, _, table = name.partition(".")
    if scenario not in results:
        return "Not measured."
    tables = SCENARIOS[scenario].tables(results[scenario])
    return str(tables[table].body())


def _run(results: Results) -> str:
    about = machine.sentence(results["about"]).replace("\n", ". ")
    kind = "A quick run, which judges nothing, of" if results["quick"] else "Run of"
    before = results.get("before")
    return f"{kind} {about}." + (f" Before: revision `{before}`." if before else "")
