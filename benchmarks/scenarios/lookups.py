"""Lookups: requests a second and CPU a request, by how many are open at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..runs import Bench, Results, Task, before, half_spread, middle, ratio
from ..tables import Cell, Table, missing_note

_LEVELS = (1, 100)
_SIZES = (20, 100, 1_000, 10_000)
_LOADS = "benchmarks.loads.lookups"
_SLOW = 30
_BUSY = 0.85
ON_UVLOOP = "_uvloop"
"""How the key of an entrant on that loop ends."""


@dataclass(frozen=True)
class Entrant:
    """A peer in this comparison, and how many open lookups it is asked for.

    Its key is its name in `peers.asynchronous`, but for the threads, the loops and the floor.
    """

    key: str
    label: str
    levels: tuple[int, ...] = _LEVELS
    threads: int = 0
    uvloop: bool = False
    floor: bool = False

    @property
    def peer(self) -> str:
        """Its name in `peers.asynchronous`."""
        return self.key.removesuffix(ON_UVLOOP)

    @property
    def is_compared(self) -> bool:
        """Whether it is in the tables and charts of many peers, and not in that of loops."""
        return not self.uvloop and 100 in self.levels

    def task(self, level: int, url: str, seconds: float) -> Task:
        """The measurement of one level."""
        kwargs: dict[str, Any] = {"url": url, "seconds": seconds}
        if self.threads:
            call, kwargs["threads"] = "threaded_load", self.threads
        elif self.floor:
            call, kwargs["concurrency"] = "floor_load", level
        else:
            call = "asynchronous_load"
            kwargs |= {"peer": self.peer, "concurrency": level, "uvloop": self.uvloop}
        # The SDK takes seconds to import, so that its thread counts share a process.
        worker = "sdk" if self.threads else self.key
        return Task(f"{self.key} @ {level}", worker, f"{_LOADS}:{call}", kwargs)


THREADS = (4, 16, 32, 100)
BACKENDS = {
    "ours_wide": '`"httpcore"`, the default',
    "ours_httpx2": '`"httpx2"`',
    "ours_aiohttp": '`"aiohttp"`',
    "ours_pyreqwest": '`"pyreqwest"`',
    "ours_auto": '`"auto"`',
    "raw_aiohttp": "raw aiohttp and json",
    "raw_pyreqwest": "raw pyreqwest and its own JSON",
}
"""What is measured on both loops."""
ENTRANTS = (
    Entrant("ours", "voucherify_async"),
    Entrant("ours_wide", "voucherify_async, max_concurrency=100"),
    Entrant("ours_httpx2", "voucherify_async[httpx2], 100"),
    Entrant("ours_aiohttp", "voucherify_async[aiohttp], 100"),
    Entrant("ours_pyreqwest", "voucherify_async[pyreqwest], 100"),
    Entrant("ours_auto", 'voucherify_async, "auto", 100', levels=(100,)),
    Entrant("ours_injected", "voucherify_async, injected httpx-aiohttp, 100", levels=(100,)),
    Entrant("raw_httpx", "raw httpx"),
    Entrant("httpx_alone", "raw httpx as installed alone, without sniffio"),
    Entrant("raw_httpx2", "raw httpx2"),
    Entrant("raw_httpx_on_aiohttp", "raw httpx on httpx-aiohttp"),
    Entrant("raw_aiohttp", "raw aiohttp and json"),
    Entrant("raw_pyreqwest", "raw pyreqwest and its own JSON"),
    Entrant("sdk_1", "official SDK, sequential", levels=(1,), threads=1),
    *(Entrant(f"sdk_{n}", f"official SDK, {n} threads", (100,), threads=n) for n in THREADS),
    *(
        Entrant(key + ON_UVLOOP, f"{label}, on uvloop", levels=(100,), uvloop=True)
        for key, label in BACKENDS.items()
    ),
    Entrant("floor", "socket loop (the floor)", floor=True),
)
LABELS = {entrant.key: entrant.label for entrant in ENTRANTS}
_GATHERED = ("ours", "ours_httpx2", "ours_aiohttp", "ours_pyreqwest", "raw_aiohttp")
EARLIER = ("ours", "ours_aiohttp")
"""What the earlier state of the library is asked for too."""


def run(bench: Bench) -> Results:
    """Measure; a quick run leaves most sizes out."""
    sizes = bench.settings.pick(_SIZES, (20, 200))
    compared = [entrant for entrant in ENTRANTS if entrant.is_compared]
    return {
        "levels": list(_LEVELS),
        "gathers": list(sizes),
        "load": _loads(bench, ENTRANTS, _LEVELS, latency=0),
        "load_30ms": _loads(bench, compared, (100,), latency=_SLOW),
        "gather": _gather(bench, sizes),
    }


def _loads(
    bench: Bench, entrants: Sequence[Entrant], levels: tuple[int, ...], latency: int
) -> Results:
    url, seconds = bench.server.url(latency), bench.settings.pick(0.7, 0.05)
    tasks = []
    for level in levels:
        for entrant in entrants:
            if level in entrant.levels:
                task = entrant.task(level, url, seconds)
                tasks.append(task)
                if entrant.key in EARLIER and not latency:
                    tasks.append(task.of_before())
    return bench.interleave(tasks)


def _gather(bench: Bench, sizes: tuple[int, ...]) -> Results:
    url, seconds = bench.server.url(), bench.settings.pick(0.8, 0.05)
    tasks = []
    for size in sizes:
        for peer in _GATHERED:
            kwargs = {"peer": peer, "url": url, "size": size, "seconds": seconds}
            tasks.append(Task(f"{peer} @ {size}", peer, f"{_LOADS}:gather_load", kwargs))
    return bench.interleave(tasks)


def sdk_best(results: Results) -> float | None:
    """The official SDK's rate with the number of threads that suits it best."""
    rates = [rate(results["load"], f"sdk_{threads} @ 100") for threads in THREADS]
    return max((one for one in rates if one is not None), default=None)


def rate(results: Results, key: str) -> float | None:
    """Requests a second."""
    return middle(results.get(key, {}), lambda run: run["units"] / run["seconds"])


def cpu(results: Results, key: str) -> float | None:
    """Microseconds of the client's CPU a request."""
    return middle(results.get(key, {}), lambda run: run["cpu"] / run["units"] * 1e6)


def tables(results: Results) -> dict[str, Table]:
    """Every peer; our backends on both loops; the gathers; what was before."""
    return {
        "peers": _peers(results),
        "backends": _backends(results),
        "latency": _latency(results),
        "gathers": _gathers(results),
        "before": _earlier(results),
    }


def _peers(results: Results) -> Table:
    load, levels = results["load"], results["levels"]
    base = cpu(load, "raw_aiohttp @ 100")
    rows = [
        [
            entrant.label,
            *(_rate_cell(load, f"{entrant.key} @ {n}") for n in levels),
            *(cpu(load, f"{entrant.key} @ {n}") for n in levels),
            ratio(cpu(load, f"{entrant.key} @ 100"), base),
            ratio(rate(load, f"{entrant.key} @ 100"), sdk_best(results)),
        ]
        for entrant in ENTRANTS
        if not entrant.uvloop
    ]
    columns = [
        *(f"requests/s, {n:,} open" for n in levels),
        *(f"CPU µs, {n:,} open" for n in levels),
        "CPU of raw aiohttp's",
        "rate of the SDK's best",
    ]
    note = f"100 after a name: max_concurrency=100. {_server_note(load)} "
    return Table("Lookups", ["", *columns], rows, note + missing_note(load, LABELS))


def _backends(results: Results) -> Table:
    load = results["load"]
    base = {loop: cpu(load, f"raw_aiohttp{loop} @ 100") for loop in ("", ON_UVLOOP)}
    rows: list[list[Cell]] = []
    for key, label in BACKENDS.items():
        keys = {loop: f"{key}{loop} @ 100" for loop in base}
        rows.append(
            [
                label,
                *(_rate_cell(load, keys[loop]) for loop in keys),
                *(cpu(load, keys[loop]) for loop in keys),
                *(ratio(cpu(load, keys[loop]), base[loop]) for loop in keys),
            ]
        )
    columns = ["requests/s", "on uvloop", "CPU µs", "on uvloop", "of raw aiohttp", "on uvloop"]
    return Table(
        "Lookups by http_backend and event loop, 100 open, max_concurrency=100",
        ["", *columns],
        rows,
        "Of raw aiohttp: CPU, on the same loop.",
    )


def _latency(results: Results) -> Table:
    slow = results["load_30ms"]
    return Table(
        f"Lookups with {_SLOW} ms of server latency, 100 open",
        ["", "requests/s", "CPU µs", "server"],
        [_slow_row(slow, entrant) for entrant in ENTRANTS if entrant.is_compared],
        f"100 open requests of {_SLOW} ms each allow {100_000 / _SLOW:,.0f} a second at most; "
        f"20, as many as voucherify_async has open by itself, {20_000 / _SLOW:,.0f}.",
    )


def _gathers(results: Results) -> Table:
    sizes = results["gathers"]
    return Table(
        "Lookups in one gather, requests/s by its size",
        ["", *(f"{size:,}" for size in sizes), "spread"],
        [_gather_row(results["gather"], key, sizes) for key in _GATHERED],
        "Spread: half the difference of most and least, of their mean.",
    )


def _earlier(results: Results) -> Table:
    load, rows = results["load"], []
    for key in EARLIER:
        for level in results["levels"]:
            now, then = (cpu(load, one) for one in (f"{key} @ {level}", before(f"{key} @ {level}")))
            rows.append([f"{LABELS[key]}, {level} open", then, now, ratio(now, then)])
    return Table("CPU µs of a lookup, before and now", ["", "before", "now", ""], rows)


def _rate_cell(results: Results, key: str) -> Cell:
    value = rate(results, key)
    if value is None:
        return None
    return f"{value:,.0f}{'*' if _server_share(results, key) > _BUSY else ''}"


def _server_share(results: Results, key: str) -> float:
    # Over the whole call, of which warming up and draining are parts.
    return middle(results[key], "server") or 0.0


def _server_note(results: Results) -> str:
    shares = {
        key: _server_share(results, key)
        for key, value in results.items()
        if "runs" in value and not key.startswith("floor")
    }
    if not shares:
        return ""
    most = max(shares, key=lambda key: shares[key])
    peer, _, level = most.partition(" @ ")
    note = (
        f"But under the socket loop, which shows how much the server can do, it used at most "
        f"{shares[most]:.0%} of one CPU ({LABELS[peer]} at {level})."
    )
    if any(_server_share(results, key) > _BUSY for key in results):
        note += f" * above {_BUSY:.0%} of a CPU the server limits: the figure is a lower bound."
    return note


def _slow_row(results: Results, entrant: Entrant) -> list[Cell]:
    key = f"{entrant.key} @ 100"
    share = f"{_server_share(results, key):.0%}" if "runs" in results.get(key, {}) else None
    return [entrant.label, rate(results, key), cpu(results, key), share]


def _gather_row(results: Results, key: str, sizes: list[int]) -> list[Cell]:
    rates = [rate(results, f"{key} @ {size}") for size in sizes]
    spread = half_spread([value for value in rates if value is not None])
    return [LABELS[key], *rates, None if spread is None else f"±{spread:.0%}"]
