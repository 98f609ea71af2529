"""`python -m benchmarks`: run every comparison, print it and keep it."""

from __future__ import annotations

import argparse
import json
import sys
import time
from contextlib import ExitStack, nullcontext
from pathlib import Path

from . import charts, goals, machine, report
from .report import SCENARIOS
from .runs import Bench, Results, Settings, opened, progress

_HERE = Path(__file__).parent
_PERFORMANCE = _HERE.parent / "PERFORMANCE.md"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="everything once, within a minute")
    parser.add_argument("--only", action="append", choices=SCENARIOS, metavar="NAME")
    parser.add_argument("--list", action="store_true", help="name the scenarios and end")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="where results.json and charts/ go (default: benchmarks/, of full runs only)",
    )
    parser.add_argument(
        "--before",
        metavar="REVISION",
        help="measure the library as it was at a revision of git too, and judge what got slower",
    )
    parser.add_argument(
        "--report",
        action="store_true",
        help="measure nothing: draw the charts and the tables of PERFORMANCE.md again",
    )
    return parser.parse_args()


def main() -> int:
    arguments = _arguments()
    if arguments.list:
        for name in SCENARIOS:
            print(f"{name:<10}{(SCENARIOS[name].__doc__ or '').partition(': ')[2].strip()}")
        return 0
    if arguments.report:
        _show(json.loads((_HERE / "results.json").read_text(encoding="utf-8")))
        return 0
    names = [name for name in SCENARIOS if name in (arguments.only or SCENARIOS)]
    settings = Settings(quick=arguments.quick, before=arguments.before)
    about = machine.about()
    print(machine.sentence(about))
    results: Results = {"about": about, "quick": settings.quick, "rounds": settings.rounds}
    results["before"] = settings.before
    with ExitStack() as stack:
        # Few processes are started in a quick run, whose figures need not be those of fresh ones.
        shared = stack.enter_context(opened(settings)) if settings.quick else None
        for name in names:
            with nullcontext(shared) if shared else opened(settings) as bench:
                results[name] = _run(name, bench)
    if settings.quick:
        print("\nA quick run shows that everything runs; its figures judge nothing.")
    elif judged := goals.judged(results):
        print(f"\n{goals.table(judged).text()}")
        results["goals"] = judged
    complete = not settings.quick and len(names) == len(SCENARIOS)
    if arguments.output:
        _keep(results, arguments.output)
    elif complete:
        _keep(results, _HERE)
        _show(results)
    return 1 if _failed(results) else 0


def _run(name: str, bench: Bench) -> Results:
    scenario, started = SCENARIOS[name], time.perf_counter()
    progress(f"{name}\n")
    results: Results = scenario.run(bench)
    progress(f"{name}: {time.perf_counter() - started:.0f} s\n")
    for table in scenario.tables(results).values():
        print(f"\n{table.text()}", flush=True)
    return results


def _keep(results: Results, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(results, indent=1) + "\n"
    (folder / "results.json").write_text(text, encoding="utf-8")
    charts.write(results, folder / "charts")
    print(f"\nKept in {folder}")


def _show(results: Results) -> None:
    """Draw the charts, and fill in the tables of PERFORMANCE.md."""
    charts.write(results, _HERE / "charts")
    text = _PERFORMANCE.read_text(encoding="utf-8")
    _PERFORMANCE.write_text(report.filled(text, results), encoding="utf-8")


def _failed(results: object) -> bool:
    """Whether a contestant was there and broke, which must not pass for a measurement."""
    if not isinstance(results, dict):
        return False
    return "failed" in results or any(_failed(value) for value in results.values())


if __name__ == "__main__":
    sys.exit(main())
