"""Bar charts as SVG that is readable on light and on dark paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from .runs import Results
from .scenarios import checkout, decoding, listings, lookups, start
from .tables import number

_WIDTH, _LABELS, _ROW, _TOP = 800, 340, 26, 64
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.title { font-size: 15px; font-weight: 600; }
.quiet { fill: #57606a; font-size: 12px; }
.bar { fill: #8c959f; }
.ours { fill: #0969da; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .quiet { fill: #9198a1; }
  .bar { fill: #656c76; }
  .ours { fill: #4493f8; }
}
"""


@dataclass(frozen=True)
class Bar:
    """A bar; one without a value was not measured."""

    label: str
    value: float | None


@dataclass(frozen=True)
class Chart:
    """A titled list of bars."""

    name: str
    title: str
    subtitle: str
    bars: Sequence[Bar]

    def svg(self) -> str:
        """The drawing; ours stand out."""
        height = _TOP + _ROW * len(self.bars) + 12
        longest = max((bar.value or 0 for bar in self.bars), default=0) or 1
        rows = [_bar(bar, _TOP + _ROW * i, longest) for i, bar in enumerate(self.bars)]
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}">',
                f"<title>{escape(self.title)}</title>",
                f"<style>{_STYLE}</style>",
                f'<text class="title" x="12" y="24">{escape(self.title)}</text>',
                f'<text class="quiet" x="12" y="44">{escape(self.subtitle)}</text>',
                *rows,
                "</svg>\n",
            ]
        )


def _bar(bar: Bar, y: float, longest: float) -> str:
    length = (bar.value or 0) / longest * (_WIDTH - _LABELS - 90)
    kind = "bar ours" if bar.label.startswith("voucherify_async") else "bar"
    shown = "not measured" if bar.value is None else number(bar.value)
    return (
        f'<text x="{_LABELS - 10}" y="{y + 15}" text-anchor="end">{escape(bar.label)}</text>'
        f'<rect class="{kind}" x="{_LABELS}" y="{y + 2}" width="{length:.1f}" height="18" rx="3"/>'
        f'<text class="quiet" x="{_LABELS + length + 8:.1f}" y="{y + 15}">{shown}</text>'
    )


def _lookups(results: Results) -> list[Chart]:
    shown = [e for e in lookups.ENTRANTS if e.is_compared and not e.floor]
    load, slow = results["load"], results["load_30ms"]
    rates = [Bar(e.label, lookups.rate(load, f"{e.key} @ 100")) for e in shown]
    slowed = [Bar(e.label, lookups.rate(slow, f"{e.key} @ 100")) for e in shown]
    costs = [Bar(e.label, lookups.cpu(load, f"{e.key} @ 100")) for e in shown]
    more, less = "100 at once; more is better", "100 at once; less is better"
    return [
        Chart("lookups", "Lookups: requests a second", f"Loopback server, {more}", rates),
        Chart("latency", "Lookups: requests a second", f"Server takes 30 ms, {more}", slowed),
        Chart("cpu", "Lookups: µs of client CPU a request", f"Loopback server, {less}", costs),
    ]


def _checkout(results: Results) -> list[Chart]:
    bars = [Bar(label, checkout.rate(results, key)) for key, label in checkout.LABELS.items()]
    subtitle = "Validate and redeem two codes, 100 at once; more is better"
    return [Chart("checkout", "Checkouts a second", subtitle, bars)]


def _decoding(results: Results) -> list[Chart]:
    bars = [
        Bar(label, decoding.microseconds(results, f"{peer} @ page"))
        for peer, label in decoding.PEERS.items()
    ]
    title = "Decoding: µs for a page of 100 vouchers"
    return [Chart("decoding", title, "Less is better", bars)]


def _listings(results: Results) -> list[Chart]:
    bars = [Bar(label, listings.seconds(results, row, 0)) for row, label in listings.LABELS.items()]
    title = f"Listings: seconds for {results['pages']} pages"
    return [Chart("listings", title, "Server takes 30 ms a page; less is better", bars)]


def _start(results: Results) -> list[Chart]:
    bars = [Bar(label, start.milliseconds(results, n)) for n, label in start.IMPORTS.items()]
    return [Chart("start", "Import: ms net of the interpreter", "Less is better", bars)]


_CHARTS = {
    "lookups": _lookups,
    "checkout": _checkout,
    "decoding": _decoding,
    "listings": _listings,
    "start": _start,
}


def write(results: Results, folder: Path) -> None:
    """Draw every scenario that was run."""
    folder.mkdir(parents=True, exist_ok=True)
    for scenario, draw in _CHARTS.items():
        if scenario in results:
            for chart in draw(results[scenario]):
                (folder / f"{chart.name}.svg").write_text(chart.svg(), encoding="utf-8")
