"""Listings: 99 pages at 30 ms of latency, read ahead or not, by callers fast and slow."""

from __future__ import annotations

from ..runs import Bench, Results, Task, middle, ratio
from ..tables import Cell, Table, missing_note

_LATENCY = 30
_WORK = (0, 10, 30)
_LOADS = "benchmarks.loads.listings"
# What each row reads ahead, and by what callers it is walked.
_ROWS = {"0": _WORK, "1": _WORK, "2": (0,), "4": (0,), "8": (0,)}

LABELS = {
    "httpx": "raw httpx, no models",
    **{row: f"voucherify_async, prefetch={row}" for row in _ROWS},
}


def run(bench: Bench) -> Results:
    """Measure; a quick run walks fewer pages."""
    pages = bench.settings.pick(99, 6)
    common = {"url": bench.server.url(_LATENCY), "pages": pages}
    tasks = []
    for work in _WORK:
        kwargs = {**common, "work": work / 1_000}
        tasks.append(Task(f"httpx @ {work}", "httpx", f"{_LOADS}:raw_httpx", kwargs))
        tasks += [
            Task(
                f"{prefetch} @ {work}",
                prefetch,
                f"{_LOADS}:ours",
                {**kwargs, "prefetch": int(prefetch)},
            )
            for prefetch, works in _ROWS.items()
            if work in works
        ]
    return {"pages": pages, "walks": bench.interleave(tasks)}


def seconds(results: Results, row: str, work: int) -> float | None:
    """How long a walk took."""
    return middle(results["walks"].get(f"{row} @ {work}", {}), "seconds")


def growth(results: Results, row: str) -> float | None:
    """MB by which the memory's peak rose after the tenth page, for a caller who takes no time."""
    return middle(results["walks"].get(f"{row} @ 0", {}), lambda run: run["peak"] - run["early"])


def tables(results: Results) -> list[Table]:
    """Seconds by what the caller takes a page."""
    return [
        Table(
            f"Listings, {results['pages']} pages at {_LATENCY} ms: seconds "
            "by what the caller takes a page",
            ["", *(f"{work} ms" for work in _WORK), "of the plain loop", "MB more after page 10"],
            [_row(results, row) for row in LABELS],
            "Of the plain loop (prefetch=0): at 30 ms, or where that was not measured at 0 ms. "
            + missing_note(results["walks"], LABELS),
        )
    ]


def _row(results: Results, row: str) -> list[Cell]:
    times = [seconds(results, row, work) for work in _WORK]
    slowest = max(work for work, took in zip(_WORK, times, strict=True) if took or work == 0)
    share = ratio(seconds(results, row, slowest), seconds(results, "0", slowest))
    return [LABELS[row], *times, share, growth(results, row)]
