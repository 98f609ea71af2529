"""What every test shares: async tests run on asyncio and on trio, each backend where it runs.

Property tests try a few fixed examples; `HYPOTHESIS_PROFILE=thorough` tries many, each time others.
"""

from __future__ import annotations

import os
import signal
from collections import defaultdict
from itertools import combinations
from operator import itemgetter
from typing import Any

import pytest
from hypothesis import settings

from .backends import BACKENDS, fit
from .redis_server import redis_server, redis_url

__all__ = ["redis_server", "redis_url"]

settings.register_profile("quick", max_examples=25, deadline=None, derandomize=True)
settings.register_profile("thorough", max_examples=1_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

# A shell that runs the tests in its background has Ctrl-C ignored, which the processes that tests
# start and interrupt would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


Values = tuple[tuple[str, int], ...]


def pytest_configure(config: pytest.Config) -> None:
    """Tell what the marker means that is evaluated below."""
    config.addinivalue_line(
        "markers",
        "sampled(ways): a grid, of which all is slow but a sample in which every combination of "
        "`ways` values of different parameters comes (1: every value, 2: every pair)",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out backends on event loops that they do not run on, and take the grids' samples."""
    items[:] = [item for item in items if fit(_parameters(item).values())]
    _take_samples(items)


def _parameters(item: pytest.Item) -> dict[str, object]:
    # Only tests with parameters have it.
    return dict(getattr(getattr(item, "callspec", None), "params", {}))


def _take_samples(items: list[pytest.Item]) -> None:
    grids: defaultdict[object, list[tuple[pytest.Item, set[Values]]]] = defaultdict(list)
    for item in items:
        mark = item.get_closest_marker("sampled")
        params = sorted(_parameters(item).items(), key=itemgetter(0))
        if mark is not None and params:
            # By identity, as not every value can be hashed.
            known = [(name, id(value)) for name, value in params]
            ways = min(mark.kwargs["ways"], len(known))
            grids[getattr(item, "function", None)].append((item, set(combinations(known, ways))))
    for grid in grids.values():
        for item in _not_needed(grid):
            item.add_marker(pytest.mark.slow)


def _not_needed(grid: list[tuple[pytest.Item, set[Values]]]) -> list[pytest.Item]:
    seen: set[Values] = set()
    # Those first that bring much that is new: so few are enough.
    for needed in range(max(len(values) for _, values in grid), 0, -1):
        left = []
        for item, values in grid:
            if len(values - seen) < needed:
                left.append((item, values))
            else:
                seen |= values
        grid = left
    return [item for item, _ in grid]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run each async test on both event loops."""
    return str(request.param)


@pytest.fixture(params=BACKENDS)
def http_backend(request: pytest.FixtureRequest, anyio_backend: str) -> Any:
    """Each HTTP stack of our own, on the event loops that it runs on."""
    return request.param


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep credentials and proxies of the machine out of every test."""
    for name in ("APP_ID", "APP_TOKEN", "BASE_URL"):
        monkeypatch.delenv(f"VOUCHERIFY_{name}", raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
