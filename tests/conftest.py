"""What every test shares: async tests run on asyncio and on trio, each backend where it runs.

Property tests try a few fixed examples; `HYPOTHESIS_PROFILE=thorough` tries many, each time others.
"""

from __future__ import annotations

import gc
import os
import signal
from collections import defaultdict
from collections.abc import Generator
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
_NAME = itemgetter(0)


def pytest_configure(config: pytest.Config) -> None:
    """Tell what the marker means that is evaluated below."""
    config.addinivalue_line(
        "markers",
        "sampled(ways, whole): a grid, of which all is slow but a sample in which every "
        "combination of `ways` values of different parameters comes (1: every value, 2: every "
        "pair); what is not needed for every combination of `whole` values does not run at all",
    )


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the garbage collector from going through all tests again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out backends on event loops that they do not run on, and take the grids' samples."""
    items[:] = [item for item in items if fit(_parameters(item).values())]
    needless = _take_samples(items)
    items[:] = [item for item in items if item not in needless]


def _parameters(item: pytest.Item) -> dict[str, object]:
    # Only tests with parameters have it.
    return dict(getattr(getattr(item, "callspec", None), "params", {}))


def _take_samples(items: list[pytest.Item]) -> set[pytest.Item]:
    """Mark as slow what is in no sample; returns what is to be left out."""
    grids: defaultdict[object, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("sampled") is not None and _parameters(item):
            grids[getattr(item, "function", None)].append(item)
    needless: set[pytest.Item] = set()
    for grid in grids.values():
        mark = grid[0].get_closest_marker("sampled")
        assert mark is not None
        whole = _covering(grid, mark.kwargs["whole"]) if "whole" in mark.kwargs else grid
        needless.update(set(grid).difference(whole))
        # What is slow anyway stands for nothing in the sample.
        quick = [item for item in whole if item.get_closest_marker("slow") is None]
        for item in set(quick).difference(_covering(quick, mark.kwargs["ways"])):
            item.add_marker(pytest.mark.slow)
    return needless


def _covering(grid: list[pytest.Item], ways: int) -> list[pytest.Item]:
    """A few of a grid, in which every combination of so many of its values comes."""
    left = [(item, _combinations(item, ways)) for item in grid]
    seen: set[Values] = set()
    taken: list[pytest.Item] = []
    # Those first that bring much that is new: so few are enough.
    for needed in range(max((len(values) for _, values in left), default=0), 0, -1):
        rest = []
        for item, values in left:
            if len(values - seen) < needed:
                rest.append((item, values))
            else:
                seen |= values
                taken.append(item)
        left = rest
    return taken


def _combinations(item: pytest.Item, ways: int) -> set[Values]:
    # By identity, as not every value can be hashed.
    values = [(name, id(value)) for name, value in sorted(_parameters(item).items(), key=_NAME)]
    return set(combinations(values, min(ways, len(values))))


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
