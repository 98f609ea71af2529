"""Quota: lookups with a quota that processes share by Redis, and without."""

from __future__ import annotations

from ..processes import PeerMissingError, redis_server
from ..runs import Bench, Results, Task, middle, ratio
from ..tables import Cell, Table, missing_note

PEERS = {
    "ours": "voucherify_async",
    "ours_aiohttp": "voucherify_async[aiohttp], 100",
    "ours_pyreqwest": "voucherify_async[pyreqwest], 100",
}
LABELS = {**PEERS, **{f"{peer}, shared": f"{label}, shared" for peer, label in PEERS.items()}}


def run(bench: Bench) -> Results:
    """Measure; without Redis, what a client costs that shares nothing."""
    try:
        with redis_server() as redis:
            return bench.interleave(_tasks(bench, redis))
    except PeerMissingError as error:
        alone = bench.interleave(_tasks(bench, None))
        return {**alone, **{f"{peer}, shared": {"missing": str(error)} for peer in PEERS}}


def _tasks(bench: Bench, redis: str | None) -> list[Task]:
    seconds = bench.settings.pick(0.7, 0.05)
    common = {"url": bench.server.url(), "concurrency": 100, "seconds": seconds}
    load, tasks = "benchmarks.loads.lookups:quota_load", []
    for peer in PEERS:
        tasks.append(Task(peer, peer, load, {**common, "peer": peer}))
        if redis:
            shared = f"{peer}, shared"
            tasks.append(Task(shared, shared, load, {**common, "peer": peer, "redis": redis}))
    return tasks


def cpu(results: Results, key: str) -> float | None:
    """Microseconds of the client's CPU a lookup."""
    return middle(results.get(key, {}), lambda run: run["cpu"] / run["units"] * 1e6)


def tables(results: Results) -> dict[str, Table]:
    """CPU with a store and without."""
    rows: list[list[Cell]] = []
    for peer, label in PEERS.items():
        alone, shared = cpu(results, peer), cpu(results, f"{peer}, shared")
        rows.append([label, alone, shared, ratio(shared, alone)])
    return {
        "store": Table(
            "CPU µs of a lookup, 100 open, with a RedisQuotaStore and without",
            ["", "without", "with", "with / without"],
            rows,
            missing_note(results, LABELS),
        )
    }
