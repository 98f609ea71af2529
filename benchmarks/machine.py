"""Where and with what a run was made."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import voucherify_async

_PACKAGES = [
    *("httpx", "httpcore", "sniffio", "anyio", "attrs", "cattrs", "orjson", "msgspec"),
    *(
        "httpx2",
        "httpx-aiohttp",
        "aiohttp",
        "pyreqwest",
        "uvloop",
        "voucherify",
        "pydantic",
        "urllib3",
    ),
]


def about() -> dict[str, Any]:
    """Machine, versions and date."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": _processor(),
        "system": f"{platform.system()} {platform.release()}",
        "cpus": os.cpu_count(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": {
            "voucherify-async": voucherify_async.__version__,
            **{name: _version(name) for name in _PACKAGES},
        },
    }


def sentence(about: dict[str, Any]) -> str:
    """The same for people."""
    packages = ", ".join(f"{name} {found}" for name, found in about["packages"].items())
    return (
        f"{about['date']}: {about['machine']}, {about['cpus']} CPUs, {about['system']}, "
        f"{about['python']}\n{packages}"
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
