"""Decoding: bytes to models; and encoding: models to an import of 20,000 vouchers."""

from __future__ import annotations

from ..runs import Bench, Results, Task, middle, ratio
from ..tables import Cell, Table, missing_note

PEERS = {
    "ours": "voucherify_async",
    "sdk": "official SDK",
    "stock_cattrs": "orjson + stock cattrs",
    "msgspec_attrs": "msgspec into attrs classes",
    "msgspec_structs": "msgspec into its structs",
    "only_orjson": "orjson, no models",
    "only_json": "json, no models",
}
IMPORTERS = {
    "ours": "voucherify_async",
    "ours_mappings": "voucherify_async, mappings",
    "sdk": "official SDK",
}


def run(bench: Bench) -> Results:
    """Measure; a quick run imports fewer."""
    seconds = bench.settings.pick(0.5, 0.05)
    count = bench.settings.pick(20_000, 1_000)
    decode = [
        Task(
            f"{peer} @ {size}",
            peer,
            "benchmarks.loads.decoding:load",
            {"peer": peer, "page": size == 100, "seconds": seconds},
        )
        for size in (1, 100)
        for peer in PEERS
    ]
    encode = [
        Task(
            peer,
            # Memory that was used once stays with a process; a quick run has no time for new ones.
            peer if bench.settings.quick else None,
            "benchmarks.loads.importing:load",
            {"peer": peer, "url": bench.server.url(), "count": count},
        )
        for peer in IMPORTERS
    ]
    return {
        "count": count,
        "decode": bench.interleave(decode),
        "encode": bench.interleave(encode),
    }


def microseconds(results: Results, peer: str, size: int) -> float | None:
    """CPU of decoding one voucher or one page."""
    found = results["decode"].get(f"{peer} @ {size}", {})
    return middle(found, lambda run: run["cpu"] / run["units"] * 1e6)


def encoding(results: Results, peer: str, of: str) -> float | None:
    """A figure of the import."""
    return middle(results["encode"].get(peer, {}), of)


def tables(results: Results) -> list[Table]:
    """Decoding, and the import."""
    body = encoding(results, "ours", "body")
    return [
        Table(
            "Decoding, µs of CPU",
            ["", "one voucher", "page of 100", "SDK / it, one", "SDK / it, page"],
            [_decode_row(results, peer) for peer in PEERS],
            missing_note(results["decode"], PEERS),
        ),
        Table(
            f"Sending an import of {results['count']:,} vouchers"
            + (f", {body:.1f} MB of JSON" if body else ""),
            ["", "CPU ms", "SDK / it", "models MB", "peak MB of the call", "peak / body"],
            [_encode_row(results, peer) for peer in IMPORTERS],
            missing_note(results["encode"], IMPORTERS),
        ),
    ]


def _decode_row(results: Results, peer: str) -> list[Cell]:
    own = [microseconds(results, peer, size) for size in (1, 100)]
    sdk = [microseconds(results, "sdk", size) for size in (1, 100)]
    return [PEERS[peer], *own, *(ratio(b, a) for a, b in zip(own, sdk, strict=True))]


def _encode_row(results: Results, peer: str) -> list[Cell]:
    cpu, sdk = encoding(results, peer, "cpu"), encoding(results, "sdk", "cpu")
    peak, body = encoding(results, peer, "peak"), encoding(results, peer, "body")
    return [
        IMPORTERS[peer],
        None if cpu is None else cpu * 1e3,
        ratio(sdk, cpu),
        encoding(results, peer, "models"),
        peak,
        ratio(peak, body),
    ]
