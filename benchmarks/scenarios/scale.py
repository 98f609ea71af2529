"""Scale: what a request, a page and an imported voucher cost, from 100 to 100,000 of them."""

from __future__ import annotations

from ..runs import Bench, Results, Task, half_spread, middle
from ..tables import Cell, Table, missing_note

KINDS = {
    "lookups": "a lookup",
    "pages": "a page of 100 transactions",
    "imports": "an imported voucher",
}


def run(bench: Bench) -> Results:
    """Measure; a quick run goes to 1,000. Every size has an interpreter of its own."""
    sizes = bench.settings.pick((100, 1_000, 10_000, 100_000), (100, 1_000))
    tasks = [
        Task(
            f"{kind} @ {size}",
            f"{kind} @ {size}",
            f"benchmarks.loads.scale:{kind}",
            {"url": bench.server.url(), "count": size},
        )
        for kind in KINDS
        for size in sizes
    ]
    return {
        "sizes": list(sizes),
        "costs": bench.interleave(tasks, rounds=min(3, bench.settings.rounds)),
    }


def costs(results: Results, kind: str) -> list[float]:
    """µs of CPU a unit, for each size that was measured."""
    found = (
        middle(results["costs"][f"{kind} @ {size}"], lambda run: run["cpu"] / run["units"] * 1e6)
        for size in results["sizes"]
    )
    return [cost for cost in found if cost is not None]


def memory(results: Results, kind: str, size: int) -> float | None:
    """Peak memory in MB."""
    return middle(results["costs"].get(f"{kind} @ {size}", {}), "peak")


def tables(results: Results) -> dict[str, Table]:
    """Cost and memory by size."""
    sizes = results["sizes"]
    names = [f"{size:,}" for size in sizes]
    return {
        "costs": Table(
            "Scale, µs of CPU",
            ["", *names, "spread"],
            [_cost_row(results, kind) for kind in KINDS],
            "Spread: half the difference of most and least, of their mean. "
            + missing_note(results["costs"], KINDS),
        ),
        "memory": Table(
            "Scale, peak memory of the process in MB",
            ["", *names],
            [[KINDS[kind], *(memory(results, kind, size) for size in sizes)] for kind in KINDS],
        ),
    }


def _cost_row(results: Results, kind: str) -> list[Cell]:
    found = costs(results, kind)
    spread = half_spread(found)
    missing: list[Cell] = [None] * (len(results["sizes"]) - len(found))
    return [KINDS[kind], *found, *missing, None if spread is None else f"±{spread:.0%}"]
