"""What every test shares: async tests run on asyncio and on trio."""

from __future__ import annotations

import signal

import pytest

# A shell that runs the tests in its background has Ctrl-C ignored, which the processes that tests
# start and interrupt would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run each async test on both event loops."""
    return str(request.param)


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep credentials and proxies of the machine out of every test."""
    for name in ("APP_ID", "APP_TOKEN", "BASE_URL"):
        monkeypatch.delenv(f"VOUCHERIFY_{name}", raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
