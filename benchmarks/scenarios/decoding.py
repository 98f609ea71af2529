"""Decoding: bytes to models; and encoding: models to an import of 20,000 vouchers."""

from __future__ import annotations

from ..runs import Bench, Results, Task, before, middle, ratio
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
# What was written for vouchers alone.
_OF_VOUCHERS = ("stock_cattrs", "msgspec_attrs", "msgspec_structs")
KINDS = {
    "voucher": "one voucher",
    "page": "page of 100",
    "validation": "validation of 10 redeemables",
}
EARLIER = ("ours @ voucher", "ours @ page")
"""What the earlier state of the library is asked for too."""
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
            f"{peer} @ {kind}",
            peer,
            "benchmarks.loads.decoding:load",
            {"peer": peer, "kind": kind, "seconds": seconds},
        )
        for kind in KINDS
        for peer in PEERS
        if kind != "validation" or peer not in _OF_VOUCHERS
    ]
    decode += [task.of_before() for task in decode if task.key in EARLIER]
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


def microseconds(results: Results, key: str) -> float | None:
    """CPU of decoding one answer; the key is `ours @ voucher` or the like."""
    found = results["decode"].get(key, {})
    return middle(found, lambda run: run["cpu"] / run["units"] * 1e6)


def encoding(results: Results, peer: str, of: str) -> float | None:
    """A figure of the import."""
    return middle(results["encode"].get(peer, {}), of)


def tables(results: Results) -> dict[str, Table]:
    """Decoding, and the import."""
    body = encoding(results, "ours", "body")
    return {
        "decoding": Table(
            "Decoding, µs of CPU",
            ["", *(column for label in KINDS.values() for column in (label, "SDK / it"))],
            [_decode_row(results, peer) for peer in PEERS],
            missing_note(results["decode"], PEERS),
        ),
        "sending": Table(
            f"Sending an import of {results['count']:,} vouchers"
            + (f", {body:.1f} MB of JSON" if body else ""),
            ["", "CPU ms", "SDK / it", "models MB", "peak MB of the call", "peak / body"],
            [_encode_row(results, peer) for peer in IMPORTERS],
            missing_note(results["encode"], IMPORTERS),
        ),
        "before": Table(
            "CPU µs of decoding, before and now",
            ["", "before", "now", ""],
            [_earlier_row(results, key) for key in EARLIER],
        ),
    }


def _decode_row(results: Results, peer: str) -> list[Cell]:
    row: list[Cell] = [PEERS[peer]]
    for kind in KINDS:
        own, sdk = (microseconds(results, f"{one} @ {kind}") for one in (peer, "sdk"))
        row += [own, ratio(sdk, own)]
    return row


def _earlier_row(results: Results, key: str) -> list[Cell]:
    now, then = microseconds(results, key), microseconds(results, before(key))
    return [KINDS[key.partition(" @ ")[2]], then, now, ratio(now, then)]


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
