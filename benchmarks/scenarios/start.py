"""Start: what importing costs in time and memory, and what the first call pays for hooks."""

from __future__ import annotations

from ..runs import Bench, Results, Task, middle, ratio
from ..tables import Cell, Table, missing_note

_LOADS = "benchmarks.loads.start"
IMPORTS = {
    "voucherify_async": "voucherify_async",
    "httpx": "httpx",
    "httpx2": "httpx2",
    "aiohttp": "aiohttp",
    "voucherify": "official SDK",
}
_CLIENTS = {
    "voucherify_async": 'from voucherify_async import AsyncVoucherify; AsyncVoucherify("a", "b")',
    "httpx": "from httpx import AsyncClient; AsyncClient()",
    "httpx2": "from httpx2 import AsyncClient; AsyncClient()",
    "voucherify": "from voucherify import ApiClient, VouchersApi; VouchersApi(ApiClient())",
}


def run(bench: Bench) -> Results:
    """Measure, every time in a new interpreter."""
    imports = [
        Task(name, None, f"{_LOADS}:import_cost", {"module": name}) for name in ("json", *IMPORTS)
    ]
    clients = [
        Task(name, None, f"{_LOADS}:client_cost", {"program": program})
        for name, program in _CLIENTS.items()
        # A minute has no room for another import of the SDK.
        if name != "voucherify" or not bench.settings.quick
    ]
    url = bench.server.url()
    calls = [
        Task(name, None, f"{_LOADS}:first_lookup", {"peer": peer, "url": url})
        for name, peer in (("voucherify_async", "ours"), ("httpx", "raw_httpx"))
    ]
    return {
        "imports": bench.interleave(imports),
        "clients": bench.interleave(clients),
        "calls": bench.interleave(calls),
        "hooks": bench.interleave([Task("hooks", None, f"{_LOADS}:hooks", {})]),
    }


def milliseconds(results: Results, module: str) -> float | None:
    """What importing it takes."""
    return middle(results["imports"].get(module, {}), "milliseconds")


def memory(results: Results, module: str) -> float | None:
    """MB that importing it adds to an interpreter."""
    base = middle(results["imports"]["json"], "peak")
    peak = middle(results["imports"].get(module, {}), "peak")
    return None if base is None or peak is None else peak - base


def client_adds(results: Results) -> float | None:
    """MB of a process that made one lookup with our client, beyond those with raw httpx."""
    own, raw = (middle(results["calls"][n], "peak") for n in ("voucherify_async", "httpx"))
    return None if own is None or raw is None else own - raw


def hooks(results: Results) -> float | None:
    """How many ms the first voucher of a process takes longer than the later ones."""
    return middle(results["hooks"]["hooks"], "milliseconds")


def tables(results: Results) -> dict[str, Table]:
    """Imports; first calls."""
    return {
        "imports": Table(
            "Start, net of the interpreter",
            ["", "import ms", "of httpx", "MB", "and a client, ms"],
            [_import_row(results, name) for name in IMPORTS],
            missing_note(results["imports"], IMPORTS),
        ),
        "first": Table(
            "First call of a process",
            ["", "median"],
            [
                ["hooks, ms", hooks(results)],
                ["import, client and one lookup: MB over raw httpx", client_adds(results)],
            ],
        ),
    }


def _import_row(results: Results, name: str) -> list[Cell]:
    took = milliseconds(results, name)
    return [
        IMPORTS[name],
        took,
        ratio(took, milliseconds(results, "httpx")),
        memory(results, name),
        middle(results["clients"].get(name, {}), "milliseconds"),
    ]
