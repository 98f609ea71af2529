"""The pytest fixture ``fake_voucherify``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .fake import FakeVoucherify


@pytest.fixture
def fake_voucherify() -> Iterator[FakeVoucherify]:
    """Give the test an empty embedded Voucherify of its own."""
    from . import FakeVoucherify

    fake = FakeVoucherify()
    yield fake
    fake.faults.clear()
