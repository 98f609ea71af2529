"""`python -m benchmarks`: run every comparison, print it and keep it."""

from __future__ import annotations

import argparse
import json
import sys
import time
from importlib import import_module
from pathlib import Path
from types import ModuleType

from . import charts, goals, machine
from .runs import Results, Settings, opened, progress

SCENARIOS = ("lookups", "decoding", "listings", "start", "scale", "profile")
_HERE = Path(__file__).parent


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
    return parser.parse_args()


def _scenario(name: str) -> ModuleType:
    return import_module(f"benchmarks.scenarios.{name}")


def main() -> int:
    arguments = _arguments()
    if arguments.list:
        for name in SCENARIOS:
            print(f"{name:<10}{(_scenario(name).__doc__ or '').partition(': ')[2].strip()}")
        return 0
    names = [name for name in SCENARIOS if name in (arguments.only or SCENARIOS)]
    settings = Settings(quick=arguments.quick)
    about = machine.about()
    print(machine.sentence(about))
    results: Results = {"about": about, "quick": settings.quick, "rounds": settings.rounds}
    for name in names:
        results[name] = _run(name, settings)
    if settings.quick:
        print("\nA quick run shows that everything runs; its figures judge nothing.")
    elif judged := goals.judged(results):
        print(f"\n{goals.table(judged).text()}")
        results["goals"] = judged
    complete = not settings.quick and len(names) == len(SCENARIOS)
    folder = arguments.output or (_HERE if complete else None)
    if folder:
        _keep(results, folder)
    return 1 if _failed(results) else 0


def _run(name: str, settings: Settings) -> Results:
    scenario, started = _scenario(name), time.perf_counter()
    progress(f"{name}\n")
    with opened(settings) as bench:
        results: Results = scenario.run(bench)
    progress(f"{name}: {time.perf_counter() - started:.0f} s\n")
    for table in scenario.tables(results):
        print(f"\n{table.text()}", flush=True)
    return results


def _keep(results: Results, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(results, indent=1) + "\n"
    (folder / "results.json").write_text(text, encoding="utf-8")
    charts.write(results, folder / "charts")
    print(f"\nKept in {folder}")


def _failed(results: object) -> bool:
    """Whether a contestant was there and broke, which must not pass for a measurement."""
    if not isinstance(results, dict):
        return False
    return "failed" in results or any(_failed(value) for value in results.values())


if __name__ == "__main__":
    sys.exit(main())
