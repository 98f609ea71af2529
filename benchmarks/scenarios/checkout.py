"""Checkout: a validation of two codes and their redemption, 100 checkouts open."""

from __future__ import annotations

from ..runs import Bench, Results, Task, middle, ratio
from ..tables import Cell, Table, missing_note

_LOADS = "benchmarks.loads.calls"
_OPEN = 100
_THREADS = (16, 32)
PEERS = {
    "ours": "voucherify_async",
    "ours_httpx2": "voucherify_async[httpx2], 100",
    "ours_aiohttp": "voucherify_async[aiohttp], 100",
    "ours_pyreqwest": "voucherify_async[pyreqwest], 100",
    "aiohttp": "raw aiohttp and json, no models",
    "pyreqwest": "raw pyreqwest and its own JSON, no models",
    "httpx": "raw httpx, no models",
}
LABELS = {**PEERS, **{f"sdk_{n}": f"official SDK, {n} threads" for n in _THREADS}}


def run(bench: Bench) -> Results:
    """Measure."""
    common = {"url": bench.server.url(), "seconds": bench.settings.pick(0.7, 0.05)}
    tasks = [
        Task(peer, peer, f"{_LOADS}:checkouts", {**common, "peer": peer, "concurrency": _OPEN})
        for peer in PEERS
    ]
    tasks += [
        Task(f"sdk_{n}", "sdk", f"{_LOADS}:threaded_checkouts", {**common, "threads": n})
        for n in _THREADS
    ]
    return bench.interleave(tasks)


def rate(results: Results, peer: str) -> float | None:
    """Checkouts a second."""
    return middle(results.get(peer, {}), lambda run: run["units"] / run["seconds"])


def cpu(results: Results, peer: str) -> float | None:
    """Microseconds of the client's CPU a checkout."""
    return middle(results.get(peer, {}), lambda run: run["cpu"] / run["units"] * 1e6)


def tables(results: Results) -> dict[str, Table]:
    """Rates and CPU."""
    rates = [rate(results, f"sdk_{n}") for n in _THREADS]
    best = max((one for one in rates if one is not None), default=None)
    rows: list[list[Cell]] = [
        [label, rate(results, peer), cpu(results, peer), ratio(rate(results, peer), best)]
        for peer, label in LABELS.items()
    ]
    return {
        "peers": Table(
            f"Checkouts (validate and redeem two codes), {_OPEN} open",
            ["", "checkouts/s", "CPU µs", "rate of the SDK's best"],
            rows,
            missing_note(results, LABELS),
        )
    }
