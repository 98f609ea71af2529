"""The benchmarks run, and say what they measured; how fast anything is, no test judges."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks import checkout_payloads, goals, payloads, report
from benchmarks.charts import Bar, Chart
from benchmarks.goals import Goal
from benchmarks.loads import calls, listings, lookups, scale
from benchmarks.peers import decoding
from benchmarks.processes import PeerFailedError, PeerMissingError, Server, Worker
from benchmarks.runs import before, half_spread
from benchmarks.tables import Table
from voucherify_async import Validation

_ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of a benchmark server without latency."""
    with Server([0]) as server:
        yield server.url()


def test_a_voucher_has_the_size_that_the_figures_are_told_for() -> None:
    """The voucher that is looked up has 1.6 to 1.7 kB."""
    assert 1_600 <= len(payloads.voucher_bytes()) <= 1_700


def test_lookups_are_counted(url: str) -> None:
    """A load of the library's own client comes back with the lookups that it made."""
    sample = lookups.asynchronous_load("ours", url, concurrency=3, seconds=0.001)
    assert sample["units"] >= 1


def test_a_listing_is_walked_to_its_end(url: str) -> None:
    """A walk over the server's pages sees every one of them in order."""
    assert listings.ours(url, pages=3, work=0, prefetch=2)["units"] == 3


def test_transactions_go_on_after_a_page(url: str) -> None:
    """A card's transactions are walked over the seams of their pages."""
    assert scale.pages(url, 200)["units"] >= 2


def test_a_missing_package_is_told_apart_from_a_failure() -> None:
    """A peer that is not installed is missing; one that raises has failed."""
    with Worker() as worker:
        with pytest.raises(PeerMissingError, match="no_such_package"):
            worker.call("no_such_package:run")
        with pytest.raises(PeerFailedError, match="JSONDecodeError"):
            worker.call("json:loads", s="{")


def test_a_goal_is_judged_by_its_bound() -> None:
    """A figure on the wrong side of the bound misses the goal; none at all is not measured."""
    goal = Goal("lookups", "a goal", "at least", 2, lambda _: None, beyond=3)
    verdicts = [goal.verdict(figure) for figure in (None, 1.9, 2.0, 3.1)]
    assert verdicts == ["not measured", "missed", "met", "met, and beyond"]


def test_the_spread_is_what_lies_around_the_middle() -> None:
    """Values within ten percent of their middle have a spread of 0.1."""
    assert half_spread([90, 100, 110]) == pytest.approx(0.1)
    assert half_spread([]) is None


def test_a_table_is_aligned_markdown() -> None:
    """A table's rows are as wide as each other, and an absent figure is an empty cell."""
    lines = Table("Title", ["", "a"], [["x", 1234.5], ["longer", None]]).text().splitlines()
    assert len({len(line) for line in lines[2:]}) == 1
    assert "1,234" in lines[4]


def test_a_chart_is_well_formed_and_names_what_is_missing() -> None:
    """A chart is XML, escapes its labels and says which bar was not measured."""
    chart = Chart("name", "A & B", "less is better", [Bar("<ours>", 3.0), Bar("theirs", None)])
    text = " ".join(ET.fromstring(chart.svg()).itertext())
    assert "<ours>" in text
    assert "not measured" in text


def test_checkouts_are_counted(url: str) -> None:
    """A checkout of the library's own client is one that the server's answers pass for."""
    assert calls.checkouts("ours", url, concurrency=3, seconds=0.001)["units"] >= 1


def test_a_walk_without_latency_ends_with_its_pages(url: str) -> None:
    """A walk over pages of 100 counts as many as were asked for."""
    assert calls.walk("ours", url, pages=2)["units"] == 2


def test_a_validation_is_decoded_whole() -> None:
    """The validation that decoding is measured on has ten redeemables and nothing unknown."""
    found = decoding.ours()["validation"](checkout_payloads.validation_bytes(10))
    assert isinstance(found, Validation)
    assert len(found.redeemables or ()) == 10
    assert found.extra == {}


def test_what_was_before_has_a_key_of_its_own() -> None:
    """The key of an earlier state keeps its size, by which tables find it."""
    assert before("ours @ 100") == "ours, before @ 100"
    assert before("ours") == "ours, before"


def test_the_tables_of_the_page_are_those_of_the_run_that_is_kept() -> None:
    """PERFORMANCE.md holds what results.json says, and each table of it by its name."""
    results = json.loads((_ROOT / "benchmarks/results.json").read_text(encoding="utf-8"))
    text = (_ROOT / "PERFORMANCE.md").read_text(encoding="utf-8")
    assert report.filled(text, results) == text
    assert "<!-- goals -->" in text


def test_every_goal_reads_its_figure_from_what_a_run_keeps() -> None:
    """The goals find the figures of a whole run, but those that only `--before` measures."""
    results = json.loads((_ROOT / "benchmarks/results.json").read_text(encoding="utf-8"))
    unknown = [one["goal"] for one in goals.judged(results) if one["figure"] is None]
    assert all("before" in str(goal) for goal in unknown)


def test_a_page_without_a_scenario_says_so() -> None:
    """A table of what was not run is not an old one."""
    text = "<!-- quota.store -->\nold\n<!-- end -->"
    assert report.filled(text, {}) == "<!-- quota.store -->\n\nNot measured.\n\n<!-- end -->"
