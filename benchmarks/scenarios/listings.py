"""Listings: 99 pages at 30 ms of latency, read ahead or not, by callers fast and slow."""

from __future__ import annotations

from ..runs import Bench, Results, Task, before, middle, ratio
from ..tables import Cell, Table, missing_note

_LATENCY = 30
_WORK = (0, 10, 30)
_LOADS = "benchmarks.loads.listings"
# What each row reads ahead, and by what callers it is walked.
_ROWS = {"0": _WORK, "1": _WORK, "2": (0,), "4": (0,), "8": (0,)}

PEERS = {
    "ours": "voucherify_async",
    "ours_httpx2": "voucherify_async[httpx2]",
    "ours_aiohttp": "voucherify_async[aiohttp]",
    "ours_pyreqwest": "voucherify_async[pyreqwest]",
    "aiohttp": "raw aiohttp and json, no models",
    "pyreqwest": "raw pyreqwest and its own JSON, no models",
    "httpx": "raw httpx, no models",
}
_FAST_LABELS = {**PEERS, "sdk": "official SDK"}
EARLIER = "ours"
"""What the earlier state of the library is asked for too."""
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
    # Waiting is most of these walks, so that three rounds tell as much as five.
    walks = bench.interleave(tasks, rounds=min(3, bench.settings.rounds))
    return {"pages": pages, "walks": walks, "fast": _fast(bench)}


def _fast(bench: Bench) -> Results:
    """Walks without latency, where what a page costs the client is all."""
    url, pages = bench.server.url(), bench.settings.pick(60, 2)
    load = "benchmarks.loads.calls"
    tasks = [
        Task(peer, f"fast {peer}", f"{load}:walk", {"peer": peer, "url": url, "pages": pages})
        for peer in PEERS
    ]
    tasks += [task.of_before() for task in tasks if task.key == EARLIER]
    sdk = Task("sdk", "sdk", f"{load}:sdk_walk", {"url": url, "pages": pages})
    return bench.interleave([*tasks, sdk])


def page_cpu(results: Results, key: str) -> float | None:
    """Microseconds of the client's CPU a page of 100, without latency."""
    return middle(results["fast"].get(key, {}), lambda run: run["cpu"] / run["units"] * 1e6)


def seconds(results: Results, row: str, work: int) -> float | None:
    """How long a walk took."""
    return middle(results["walks"].get(f"{row} @ {work}", {}), "seconds")


def growth(results: Results, row: str) -> float | None:
    """MB by which the memory's peak rose after the tenth page, for a caller who takes no time."""
    return middle(results["walks"].get(f"{row} @ 0", {}), lambda run: run["peak"] - run["early"])


def tables(results: Results) -> dict[str, Table]:
    """Seconds by what the caller takes a page; what a page costs."""
    now, then = (page_cpu(results, key) for key in (EARLIER, before(EARLIER)))
    return {
        "walks": Table(
            f"Listings, {results['pages']} pages at {_LATENCY} ms: seconds "
            "by what the caller takes a page",
            ["", *(f"{work} ms" for work in _WORK), "of the plain loop", "MB more after page 10"],
            [_row(results, row) for row in LABELS],
            "Of the plain loop (prefetch=0): at 30 ms, or where that was not measured at 0 ms. "
            + missing_note(results["walks"], LABELS),
        ),
        "pages": Table(
            "Listings without latency, a page of 100 vouchers",
            ["", "pages/s", "CPU µs", "SDK / it"],
            [_fast_row(results, key) for key in _FAST_LABELS],
            missing_note(results["fast"], _FAST_LABELS),
        ),
        "before": Table(
            "CPU µs of a page, before and now",
            ["", "before", "now", ""],
            [["page of 100 vouchers", then, now, ratio(now, then)]],
        ),
    }


def _fast_row(results: Results, key: str) -> list[Cell]:
    pages = middle(results["fast"].get(key, {}), lambda run: run["units"] / run["seconds"])
    own = page_cpu(results, key)
    return [_FAST_LABELS[key], pages, own, ratio(page_cpu(results, "sdk"), own)]


def _row(results: Results, row: str) -> list[Cell]:
    times = [seconds(results, row, work) for work in _WORK]
    slowest = max(work for work, took in zip(_WORK, times, strict=True) if took or work == 0)
    share = ratio(seconds(results, row, slowest), seconds(results, "0", slowest))
    return [LABELS[row], *times, share, growth(results, row)]
