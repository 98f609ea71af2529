"""The pytest fixture ``fake_voucherify``.

It stands outside the package, since a module of the package brings the client with it: a run that
does not ask for the fixture imports nothing of the library.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from voucherify_async.testing import FakeVoucherify


@pytest.fixture
def fake_voucherify() -> Iterator[FakeVoucherify]:
    """Give the test an empty embedded Voucherify of its own."""
    from voucherify_async.testing import FakeVoucherify

    fake = FakeVoucherify()
    yield fake
    fake.faults.clear()
