"""Profile: where the CPU of a lookup goes, by module of ours and by package of others."""

from __future__ import annotations

from collections import Counter

from ..runs import Bench, Results, Task, middle
from ..tables import Cell, Table, missing_note

PEERS = {
    "ours": "voucherify_async",
    "ours_on_aiohttp": "voucherify_async[aiohttp]",
    "ours_on_pyreqwest": "voucherify_async[pyreqwest]",
    "raw_httpx": "raw httpx",
}
_LEAST_SHARE = 0.01


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


def tables(results: Results) -> list[Table]:
    """One table a peer, the dearest place first."""
    made = []
    for peer, label in PEERS.items():
        runs = results[peer].get("runs", [])
        samples: Counter[str] = Counter()
        for found in runs:
            samples.update(found["samples"])
        total = samples.total() or 1
        cost = middle(results[peer], lambda one: one["cpu"] / one["units"] * 1e6) or 0.0
        rows: list[list[Cell]] = [
            [place, count / total * cost, f"{count / total:.0%}"]
            for place, count in samples.most_common()
            if count / total >= _LEAST_SHARE
        ]
        title = f"Where {cost:,.0f} µs of CPU go: {label}, 20 lookups open"
        made.append(Table(title, ["", "µs", "share"], rows, missing_note(results, PEERS)))
    return made
