"""An embedded, stateful Voucherify for demos and tests.

It needs the extra: ``pip install "voucherify-async[testing]"``. Nothing heavy is imported until a
name is used, so that the pytest plugin in this package costs nothing in a run that does not use it,
and does no harm where the extra is not installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._server.engine import RecordedRequest
    from ._server.faults import Fault, Faults
    from ._server.in_process import FakeTransport
    from .fake import FakeVoucherify

__all__ = ["FakeTransport", "FakeVoucherify", "Fault", "Faults", "RecordedRequest"]

_HOMES = {
    "FakeTransport": "_server.in_process",
    "FakeVoucherify": "fake",
    "Fault": "_server.faults",
    "Faults": "_server.faults",
    "RecordedRequest": "_server.engine",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    try:
        for requirement in ("python_multipart", "starlette", "uvicorn"):
            import_module(requirement)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"{name} needs {error.name!r}, which is not installed:"
            ' pip install "voucherify-async[testing]"'
        ) from error
    return getattr(import_module(f".{home}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
