"""Profile: where the CPU of a lookup goes, by module of ours and by package of others."""

from __future__ import annotations

from collections import Counter

from ..runs import Bench, Results, Task, middle
from ..tables import Cell, Table, missing_note

PEERS = {
    "ours": "voucherify_async",
    "ours_aiohttp": "[aiohttp]",
    "ours_pyreqwest": "[pyreqwest]",
    "raw_aiohttp": "raw aiohttp",
    "raw_pyreqwest": "raw pyreqwest",
    "raw_httpx": "raw httpx",
}
_LEAST_SHARE = 0.02


def run(bench: Bench) -> Results:
    """Measure; the samples of all rounds are added up."""
    seconds = bench.settings.pick(1.0, 0.3)
    return bench.interleave(
        [
            Task(
                peer,
                peer,
                "benchmarks.loads.profile:load",
                {"peer": peer, "url": bench.server.url(), "seconds": seconds},
            )
            for peer in PEERS
        ]
    )


def tables(results: Results) -> dict[str, Table]:
    """The dearest places first; small ones of all peers are added up."""
    costs = {peer: _places(results.get(peer, {})) for peer in PEERS}
    totals = {peer: sum(places.values()) for peer, places in costs.items()}
    shown = {
        place: max(places.get(place, 0) / (totals[peer] or 1) for peer, places in costs.items())
        for place in {place for places in costs.values() for place in places}
    }
    large = sorted(
        (place for place, share in shown.items() if share >= _LEAST_SHARE),
        key=lambda place: (-max(places.get(place, 0) for places in costs.values()), place),
    )
    rows: list[list[Cell]] = [[p, *(costs[peer].get(p) for peer in PEERS)] for p in large]
    rest = [totals[peer] - sum(costs[peer].get(p, 0) for p in large) for peer in PEERS]
    rows += [["the rest", *rest], ["in all", *totals.values()]]
    note = (
        "Time inside the kernel counts for whoever called it. pyreqwest's own threads count for "
        "whatever Python runs meanwhile, mostly `asyncio`. "
    )
    return {
        "places": Table(
            "Where the µs of CPU of a lookup go, 20 open",
            ["", *PEERS.values()],
            rows,
            note + missing_note(results, PEERS),
        )
    }


def _places(result: Results) -> dict[str, float]:
    """µs of a lookup by place."""
    samples: Counter[str] = Counter()
    for found in result.get("runs", []):
        samples.update(found["samples"])
    cost = middle(result, lambda one: one["cpu"] / one["units"] * 1e6) or 0.0
    return {place: count / samples.total() * cost for place, count in samples.items()}
