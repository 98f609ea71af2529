"""Lookups: requests a second and CPU a request, by how many are open at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..runs import Bench, Results, Task, middle
from ..tables import Cell, Table, missing_note

_LEVELS = (1, 10, 100, 1_000)
_LOADS = "benchmarks.loads.lookups"
_SLOW = 30
_BUSY = 0.85


@dataclass(frozen=True)
class Entrant:
    """A peer in this comparison, and how many open lookups it is asked for."""

    key: str
    label: str
    peer: str = ""
    uvloop: bool = False
    threads: int = 0
    levels: tuple[int, ...] = _LEVELS

    def task(self, level: int, url: str, seconds: float) -> Task:
        """The measurement of one level."""
        kwargs: dict[str, Any] = {"url": url, "seconds": seconds}
        if self.threads:
            call, kwargs["threads"] = "threaded_load", self.threads
        elif self.peer:
            call = "asynchronous_load"
            kwargs |= {"peer": self.peer, "concurrency": level, "uvloop": self.uvloop}
        else:
            call, kwargs["concurrency"] = "floor_load", level
        # The SDK takes seconds to import, so that its three share a process.
        worker = "sdk" if self.threads else self.key
        return Task(f"{self.key} @ {level}", worker, f"{_LOADS}:{call}", kwargs)


ENTRANTS = (
    Entrant("ours", "voucherify_async", "ours"),
    Entrant("ours_wide", "voucherify_async, max_concurrency=100", "ours_wide"),
    Entrant("ours_aiohttp", "voucherify_async[aiohttp], 100", "ours_on_aiohttp"),
    Entrant("ours_pyreqwest", "voucherify_async[pyreqwest], 100", "ours_on_pyreqwest"),
    Entrant("ours_injected", "voucherify_async, injected httpx-aiohttp, 100", "ours_over_injected"),
    Entrant("httpx", "raw httpx", "raw_httpx"),
    Entrant("httpx_alone", "raw httpx as installed alone, without sniffio", "httpx_alone"),
    Entrant("httpx2", "raw httpx2", "raw_httpx2"),
    Entrant("httpx_aiohttp", "raw httpx on httpx-aiohttp", "raw_httpx_on_aiohttp"),
    Entrant("aiohttp", "raw aiohttp", "raw_aiohttp"),
    Entrant("pyreqwest", "raw pyreqwest", "raw_pyreqwest"),
    Entrant("sdk_1", "official SDK, sequential", threads=1, levels=(1,)),
    Entrant("sdk_32", "official SDK, 32 threads", threads=32, levels=(100,)),
    Entrant("sdk_100", "official SDK, 100 threads", threads=100, levels=(100,)),
    Entrant("ours_uvloop", "voucherify_async, 100, on uvloop", "ours_wide", uvloop=True),
    Entrant(
        "ours_aiohttp_uvloop",
        "voucherify_async[aiohttp], 100, on uvloop",
        "ours_on_aiohttp",
        uvloop=True,
    ),
    Entrant(
        "ours_pyreqwest_uvloop",
        "voucherify_async[pyreqwest], 100, on uvloop",
        "ours_on_pyreqwest",
        uvloop=True,
    ),
    Entrant("floor", "socket loop (the floor)"),
)
LABELS = {entrant.key: entrant.label for entrant in ENTRANTS}
_GATHERED = ("ours", "ours_wide", "ours_aiohttp", "aiohttp")


def run(bench: Bench) -> Results:
    """Measure; a quick run leaves most levels out."""
    pick = bench.settings.pick
    return {
        "levels": list(pick(_LEVELS, (1, 100))),
        "gathers": list(pick((20, 100, 1_000, 10_000), (20, 200))),
        "load": _loads(bench, pick(_LEVELS, (1, 100)), latency=0),
        "load_30ms": _loads(bench, (100,), latency=_SLOW),
        "gather": _gather(bench, pick((20, 100, 1_000, 10_000), (20, 200))),
    }


def _loads(bench: Bench, levels: tuple[int, ...], latency: int) -> Results:
    url, seconds = bench.server.url(latency), bench.settings.pick(0.6, 0.05)
    return bench.interleave(
        [
            entrant.task(level, url, seconds)
            for level in levels
            for entrant in ENTRANTS
            if level in entrant.levels
        ]
    )


def _gather(bench: Bench, sizes: tuple[int, ...]) -> Results:
    url, seconds = bench.server.url(), bench.settings.pick(1.2, 0.05)
    tasks = []
    for size in sizes:
        for entrant in (e for e in ENTRANTS if e.key in _GATHERED):
            kwargs = {"peer": entrant.peer, "url": url, "size": size, "seconds": seconds}
            key = f"{entrant.key} @ {size}"
            tasks.append(Task(key, entrant.key, f"{_LOADS}:gather_load", kwargs))
    return bench.interleave(tasks)


def rate(results: Results, key: str) -> float | None:
    """Requests a second."""
    return middle(results.get(key, {}), lambda run: run["units"] / run["seconds"])


def cpu(results: Results, key: str) -> float | None:
    """Microseconds of the client's CPU a request."""
    return middle(results.get(key, {}), lambda run: run["cpu"] / run["units"] * 1e6)


def tables(results: Results) -> list[Table]:
    """Rates and CPU by level, the same with latency, and the gathers."""
    levels, sizes = results["levels"], results["gathers"]
    load, slow, gather = results["load"], results["load_30ms"], results["gather"]
    names = [f"{level:,}" for level in levels]
    return [
        Table(
            "Lookups, requests/s by how many are open at once",
            ["", *names],
            [[e.label, *(_rate_cell(load, f"{e.key} @ {n}") for n in levels)] for e in ENTRANTS],
            f"100 after a name: max_concurrency=100. {_server_note(load)} "
            + missing_note(load, LABELS),
        ),
        Table(
            "Lookups, µs of client CPU a request",
            ["", *names],
            [[e.label, *(cpu(load, f"{e.key} @ {n}") for n in levels)] for e in ENTRANTS],
        ),
        Table(
            "Lookups with 30 ms of server latency, 100 open",
            ["", "requests/s", "CPU µs", "server"],
            [_slow_row(slow, e) for e in ENTRANTS if 100 in e.levels],
            f"100 open requests of {_SLOW} ms each allow {100_000 / _SLOW:,.0f} a second at most.",
        ),
        Table(
            "Lookups in one gather, requests/s by its size",
            ["", *(f"{size:,}" for size in sizes), "least / most"],
            [_gather_row(gather, key, sizes) for key in _GATHERED],
        ),
    ]


def _rate_cell(results: Results, key: str) -> Cell:
    value = rate(results, key)
    if value is None:
        return None
    return f"{value:,.0f}{'*' if _server_share(results, key) > _BUSY else ''}"


def _server_share(results: Results, key: str) -> float:
    # Over the whole call, of which warming up and draining are parts.
    return middle(results[key], "server") or 0.0


def _server_note(results: Results) -> str:
    shares = {key: _server_share(results, key) for key, value in results.items() if "runs" in value}
    most = max(shares, key=lambda key: shares[key])
    level = most.split(" @ ")
    note = (
        f"The server used at most {shares[most]:.0%} of one CPU "
        f"({LABELS[level[0]]} at {int(level[1]):,})."
    )
    if shares[most] > _BUSY:
        note += f" * above {_BUSY:.0%} of a CPU the server limits: the figure is a lower bound."
    return note


def _slow_row(results: Results, entrant: Entrant) -> list[Cell]:
    key = f"{entrant.key} @ 100"
    share = f"{_server_share(results, key):.0%}" if "runs" in results[key] else None
    return [entrant.label, rate(results, key), cpu(results, key), share]


def _gather_row(results: Results, key: str, sizes: list[int]) -> list[Cell]:
    rates = [rate(results, f"{key} @ {size}") for size in sizes]
    known = [value for value in rates if value]
    spread = min(known) / max(known) if known else None
    return [LABELS[key], *rates, spread]
