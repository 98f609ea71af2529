"""What the library set out to reach, beside what a run measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from .runs import Results, half_spread, ratio
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


def _sdk_best(results: Results) -> Figure:
    rates = [lookups.rate(results["load"], f"{key} @ 100") for key in ("sdk_32", "sdk_100")]
    known = [rate for rate in rates if rate is not None]
    return max(known, default=None)


def _over_sdk(key: str) -> Callable[[Results], Figure]:
    return lambda results: ratio(lookups.rate(results["load"], f"{key} @ 100"), _sdk_best(results))


def _over(load: str, key: str, base: str) -> Callable[[Results], Figure]:
    return lambda results: ratio(
        lookups.rate(results[load], f"{key} @ 100"), lookups.rate(results[load], f"{base} @ 100")
    )


def _cpu_over(key: str, raw: str, level: int) -> Callable[[Results], Figure]:
    return lambda results: ratio(
        lookups.cpu(results["load"], f"{key} @ {level}"),
        lookups.cpu(results["load"], f"{raw} @ {level}"),
    )


def _gather_spread(key: str) -> Callable[[Results], Figure]:
    def figure(results: Results) -> Figure:
        rates = [lookups.rate(results["gather"], f"{key} @ {size}") for size in results["gathers"]]
        return half_spread([rate for rate in rates if rate is not None])

    return figure


def _decoding(size: int) -> Callable[[Results], Figure]:
    return lambda results: ratio(
        decoding.microseconds(results, "sdk", size), decoding.microseconds(results, "ours", size)
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


GOALS = (
    Goal(
        "lookups",
        "Lookups at 100, of the SDK's best in threads",
        "at least",
        1.0,
        _over_sdk("ours"),
        beyond=1.3,
    ),
    *(
        Goal("lookups", f"{text}, of {base_label}", "at least", bound, _over(load, key, base))
        for text, load, key, bound in (
            ("Lookups at 100", "load", "ours", 5),
            ("Lookups at 100, 30 ms, max_concurrency=100", "load_30ms", "ours_wide", 10),
        )
        for base, base_label in (
            ("httpx_alone", "raw httpx installed alone"),
            ("httpx", "raw httpx with sniffio"),
        )
    ),
    Goal(
        "lookups",
        "Rates from 20 to 10,000 in one gather differ by ±",
        "at most",
        0.10,
        _gather_spread("ours"),
        unit="of their mean",
    ),
    Goal(
        "lookups",
        "Lookups at 100 on aiohttp, of the SDK's best",
        "at least",
        1.8,
        _over_sdk("ours_aiohttp"),
    ),
    Goal(
        "lookups",
        "Lookups at 100 on pyreqwest, of the SDK's best",
        "at least",
        4,
        _over_sdk("ours_pyreqwest"),
    ),
    Goal(
        "lookups",
        "CPU a lookup at 100 on pyreqwest, of raw aiohttp and json",
        "at most",
        1.0,
        _cpu_over("ours_pyreqwest", "aiohttp", 100),
        beyond=0.85,
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
            ("ours", "httpx", "httpx"),
            ("ours_aiohttp", "httpx_aiohttp", "httpx on httpx-aiohttp"),
        )
        for level in (1, 100)
    ),
    Goal("decoding", "SDK / ours, page of 100", "at least", 3, _decoding(100), beyond=5),
    Goal("decoding", "SDK / ours, one voucher", "at least", 2, _decoding(1), beyond=5),
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
    return number(value) if isinstance(value, float) else ""
