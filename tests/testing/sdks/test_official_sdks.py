"""The official SDKs against the embedded server: their own models parse what it answers."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from voucherify_async.testing import FakeVoucherify

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
JS_PACKAGE = "@voucherify/sdk"
JS_HOME = "VOUCHERIFY_JS_SDK"
"""The variable that names the folder in whose `node_modules` the JS SDK is installed."""


def python_sdk() -> tuple[list[str], dict[str, str]]:
    """The command that runs the Python SDK, or a skip that says what is missing."""
    if importlib.util.find_spec("voucherify") is None:
        pytest.skip("the official Python SDK is not installed: pip install voucherify==6.1.1")
    return [sys.executable, str(HERE / "python_operations.py")], {}


def js_sdk() -> tuple[list[str], dict[str, str]]:
    """The command that runs the JS SDK, or a skip that says what is missing."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed, so the official JS SDK is not tried")
    modules = Path(os.environ.get(JS_HOME, "")) / "node_modules"
    if JS_HOME not in os.environ or not (modules / JS_PACKAGE).is_dir():
        pytest.skip(
            f"the official JS SDK is not installed: npm install --prefix DIR {JS_PACKAGE}@2.9.0,"
            f" and {JS_HOME}=DIR"
        )
    return [node, str(HERE / "js_operations.js")], {"NODE_PATH": str(modules)}


def expected(prefix: str) -> dict[str, Any]:
    """What every operation gives, whichever SDK asks."""
    return {
        "imports": {"ends": ["DONE"] * 4, "listed": 4, "metadata": {"a": 1, "b": 2}},
        "checkout": {
            "quote": [True, 1530, f"{prefix}-lock"],
            "paid": [1530, ["SUCCESS", "SUCCESS"]],
            "stacked": 2,
            "read": True,
            "back": [2, 2000],
            "one": ["refund", -300],
            "of_voucher": 4,
            "listed": 8,
            "found": True,
        },
        "orders": {
            "made": [f"{prefix}-o", 500],
            "read": True,
            "paid": "PAID",
            "listed": 4,
            "started": True,
            "export": "order",
        },
        "refused": {"status": 404, "key": "not_found"},
    }


OWN: dict[str, dict[str, Any]] = {
    "sdk": {
        "vouchers": {
            "made": ["SDK-GIFT", 10_000, 10_000],
            "random": "R-",
            "read": "SDK-GIFT",
            "changed": {"season": "winter"},
            "balance": [500, 10_500],
            "history": ["s-1"],
            "listed": [2, 2],
            "switched": [False, True],
        },
        "exports": {"status": "DONE", "url": True, "listed": 2, "left": 1},
    },
    "js": {
        "vouchers": {
            "made": ["GIFT_VOUCHER", 10_000, 10_000],
            "random": "R-",
            "read": "JS-GIFT",
            "changed": {"season": "winter"},
            "balance": [500, 10_500],
            "history": ["CREDITS_ADDITION"],
            "listed": [True],
            "switched": [False, True],
        },
        "exports": {"status": "DONE", "url": True, "listed": 1, "left": 0},
    },
}


@pytest.mark.parametrize(("sdk", "prefix"), [(python_sdk, "sdk"), (js_sdk, "js")])
def test_every_operation(sdk: Any, prefix: str, tmp_path: Path) -> None:
    """Vouchers, jobs, exports, checkout and orders: what was asked for happened, and was parsed."""
    command, environment = sdk()
    fake = FakeVoucherify()
    fake.polls_until_done = 0
    discount = {"type": "PERCENT", "percent_off": 10, "effect": "APPLY_TO_ORDER"}
    fake.add_promotion_tier(discount, id="promo_1")
    with fake.serve() as url:
        ran = subprocess.run(
            [*command, url, str(tmp_path)],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {**expected(prefix), **OWN[prefix]}
    assert fake.vouchers[f"{prefix.upper()}-GIFT"]["gift"]["balance"] == 10_500
