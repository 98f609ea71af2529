"""What the library set out to reach, beside what a run measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from .runs import Results, before, half_spread, ratio
from .scenarios import decoding, listings, lookups, scale, start
from .tables import Table, number

Figure = float | None
_MEMORY_MB = 10.0


@dataclass(frozen=True)
class Goal:
    """A bound on a figure; `beyond` is what would be better still."""

    scenario: str
    text: str
    kind: Literal["at least", "at most"]
    bound: float
    figure: Callable[[Results], Figure]
    unit: str = "x"
    beyond: float | None = None

    def verdict(self, figure: Figure) -> str:
        """Whether it was reached."""
        if figure is None:
            return "not measured"
        if not self._reaches(figure, self.bound):
            return "missed"
        return "met, and beyond" if self.beyond and self._reaches(figure, self.beyond) else "met"

    def shown(self) -> str:
        """The bound in words."""
        text = f"{self.kind} {number(self.bound)} {self.unit}"
        return text if self.beyond is None else f"{text} (beyond: {number(self.beyond)})"

    def _reaches(self, figure: float, bound: float) -> bool:
        return figure >= bound if self.kind == "at least" else figure <= bound


def _over_sdk(key: str) -> Callable[[Results], Figure]:
    return lambda results: ratio(
        lookups.rate(results["load"], f"{key} @ 100"), lookups.sdk_best(results)
    )


def _over(load: str, key: str, base: str) -> Callable[[Results], Figure]:
    return lambda results: ratio(
        lookups.rate(results[load], f"{key} @ 100"), lookups.rate(results[load], f"{base} @ 100")
    )


def _cpu_over(key: str, raw: str, level: int = 100) -> Callable[[Results], Figure]:
    return lambda results: ratio(
        lookups.cpu(results["load"], f"{key} @ {level}"),
        lookups.cpu(results["load"], f"{raw} @ {level}"),
    )


def _cpu_since(key: str) -> Callable[[Results], Figure]:
    return lambda results: ratio(
        lookups.cpu(results["load"], key), lookups.cpu(results["load"], before(key))
    )


def _decoding_since(key: str) -> Callable[[Results], Figure]:
    return lambda results: ratio(
        decoding.microseconds(results, key), decoding.microseconds(results, before(key))
    )


def _page_since(results: Results) -> Figure:
    key = listings.EARLIER
    return ratio(listings.page_cpu(results, key), listings.page_cpu(results, before(key)))


def _gather_spread(key: str) -> Callable[[Results], Figure]:
    def figure(results: Results) -> Figure:
        keys = [f"{key} @ {size}" for size in results["gathers"]]
        rates = [lookups.rate(results["gather"], one) for one in keys]
        return half_spread([rate for rate in rates if rate is not None])

    return figure


def _decoding(kind: str) -> Callable[[Results], Figure]:
    return lambda results: ratio(
        decoding.microseconds(results, f"sdk @ {kind}"),
        decoding.microseconds(results, f"ours @ {kind}"),
    )


def _encoding(results: Results) -> Figure:
    return ratio(
        decoding.encoding(results, "sdk", "cpu"), decoding.encoding(results, "ours", "cpu")
    )


def _encoding_peak(results: Results) -> Figure:
    return ratio(
        decoding.encoding(results, "ours", "peak"), decoding.encoding(results, "ours", "body")
    )


def _listing(prefetch: str, work: int) -> Callable[[Results], Figure]:
    return lambda results: ratio(
        listings.seconds(results, prefetch, work), listings.seconds(results, "0", work)
    )


def _import_time(results: Results) -> Figure:
    return ratio(
        start.milliseconds(results, "voucherify_async"), start.milliseconds(results, "httpx")
    )


def _walk_growth(results: Results) -> Figure:
    least, most = (scale.memory(results, "pages", size) for size in (1_000, results["sizes"][-1]))
    return None if least is None or most is None else most - least


def _cost_spread(kind: str) -> Callable[[Results], Figure]:
    return lambda results: half_spread(scale.costs(results, kind))


_WAYS = (
    ("ours_pyreqwest", "on pyreqwest", 1.0, 0.85, 4),
    ("ours_aiohttp", "on aiohttp", 1.5, None, 2.5),
    ("ours", "by default", 2.5, None, 1.5),
)
"""Key, words, CPU of raw aiohttp's at most (and what is beyond), rate of the SDK's at least."""
_NO_SLOWER = 1.03
_FLAT = ("ours", "ours_aiohttp", "ours_pyreqwest")

GOALS = (
    *(
        Goal(
            "lookups",
            f"CPU of a lookup {words}, of raw aiohttp and json",
            "at most",
            bound,
            _cpu_over(key, "raw_aiohttp"),
            beyond=beyond,
        )
        for key, words, bound, beyond, _ in _WAYS
    ),
    *(
        Goal(
            "lookups",
            f"Rate of lookups {words}, of the SDK's best in threads",
            "at least",
            bound,
            _over_sdk(key),
        )
        for key, words, _, _, bound in _WAYS
    ),
    *(
        Goal(
            "lookups",
            f"Rates from 20 to 10,000 in one gather, {lookups.LABELS[key]}, differ by ±",
            "at most",
            0.10,
            _gather_spread(key),
            unit="of their mean",
        )
        for key in _FLAT
    ),
    *(
        Goal("lookups", f"{text}, of {base_label}", "at least", bound, _over(load, key, base))
        for text, load, key, bound in (
            ("Lookups at 100", "load", "ours", 5),
            ("Lookups at 100, 30 ms, max_concurrency=100", "load_30ms", "ours_wide", 10),
        )
        for base, base_label in (
            ("httpx_alone", "raw httpx installed alone"),
            ("raw_httpx", "raw httpx with sniffio"),
        )
    ),
    *(
        Goal(
            "lookups",
            f"CPU a lookup at {level}, of raw {label}",
            "at most",
            1.15,
            _cpu_over(key, raw, level),
            beyond=0.7,
        )
        for key, raw, label in (
            ("ours", "raw_httpx", "httpx"),
            ("ours_aiohttp", "raw_httpx_on_aiohttp", "httpx on httpx-aiohttp"),
        )
        for level in (1, 100)
    ),
    *(
        Goal(
            "lookups",
            f"CPU of a lookup, {lookups.LABELS[key]}, {level} open, of that before",
            "at most",
            _NO_SLOWER,
            _cpu_since(f"{key} @ {level}"),
        )
        for key in lookups.EARLIER
        for level in (1, 100)
    ),
    *(
        Goal("decoding", f"SDK / ours, {decoding.KINDS[kind]}", "at least", bound, _decoding(kind))
        for kind, bound in (("page", 4), ("voucher", 3), ("validation", 3))
    ),
    *(
        Goal(
            "decoding",
            f"CPU of decoding, {decoding.KINDS[key.partition(' @ ')[2]]}, of that before",
            "at most",
            _NO_SLOWER,
            _decoding_since(key),
        )
        for key in decoding.EARLIER
    ),
    Goal("listings", "CPU of a page, of that before", "at most", _NO_SLOWER, _page_since),
    Goal("decoding", "SDK / ours, sending an import", "at least", 3, _encoding),
    Goal("decoding", "Peak memory of that call, of the body", "at most", 3, _encoding_peak),
    Goal("listings", "One page ahead, caller takes 30 ms", "at most", 0.58, _listing("1", 30)),
    Goal("listings", "Four pages ahead, caller takes 0 ms", "at most", 0.32, _listing("4", 0)),
    Goal(
        "listings",
        "Memory that four pages ahead add after page 10",
        "at most",
        _MEMORY_MB,
        lambda results: listings.growth(results, "4"),
        unit="MB",
    ),
    Goal("start", "Import, of httpx's", "at most", 1.7, _import_time),
    Goal("start", "Hooks, paid by the first call", "at most", 10, start.hooks, unit="ms"),
    Goal("start", "Memory over raw httpx", "at most", 12, start.client_adds, unit="MB"),
    *(
        Goal(
            "scale",
            f"Cost of {label} from 100 to 100,000 differs by ±",
            "at most",
            0.15,
            _cost_spread(kind),
            unit="of its mean",
        )
        for kind, label in scale.KINDS.items()
    ),
    Goal(
        "scale",
        "Memory that walking 100,000 takes over 1,000",
        "at most",
        _MEMORY_MB,
        _walk_growth,
        unit="MB",
    ),
)


def judged(results: Results) -> list[dict[str, object]]:
    """Every goal of the scenarios that were run, with its figure and the verdict."""
    found: list[dict[str, object]] = []
    for goal in GOALS:
        if goal.scenario in results:
            figure = goal.figure(results[goal.scenario])
            found.append(
                {
                    "goal": goal.text,
                    "bound": goal.shown(),
                    "figure": figure,
                    "verdict": goal.verdict(figure),
                }
            )
    return found


def table(judged: Sequence[Mapping[str, object]]) -> Table:
    """The same as a table."""
    rows = [
        [str(goal["goal"]), str(goal["bound"]), _figure(goal["figure"]), str(goal["verdict"])]
        for goal in judged
    ]
    return Table("Goals", ["", "goal", "measured", ""], rows)


def _figure(value: object) -> str:
    return number(value) if isinstance(value, float) else "-"
