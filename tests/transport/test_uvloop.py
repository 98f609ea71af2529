"""The rules of connections once more, on asyncio with uvloop, which many services run on."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from .test_attempts import (
    test_a_write_that_never_got_a_connection_did_not_happen,
    test_an_attempt_ends_however_slowly_its_answer_comes,
)
from .test_idle import (
    test_a_connection_with_bytes_on_it_is_not_used_again,
    test_distrusted_connections_are_not_used_again,
)
from .test_limits import (
    test_an_answer_up_to_the_limit_is_read,
    test_an_answer_without_end_is_left,
    test_each_answer_on_a_connection_has_the_limit,
)
from .test_written import test_sent_is_false_only_where_the_last_byte_surely_stayed_here

__all__ = [
    "test_a_connection_with_bytes_on_it_is_not_used_again",
    "test_a_write_that_never_got_a_connection_did_not_happen",
    "test_an_answer_up_to_the_limit_is_read",
    "test_an_answer_without_end_is_left",
    "test_an_attempt_ends_however_slowly_its_answer_comes",
    "test_distrusted_connections_are_not_used_again",
    "test_each_answer_on_a_connection_has_the_limit",
    "test_sent_is_false_only_where_the_last_byte_surely_stayed_here",
]

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("uvloop") is None, reason="uvloop is missing"),
]


@pytest.fixture(params=[pytest.param(("asyncio", {"use_uvloop": True}), id="uvloop")])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """asyncio, with uvloop's event loop."""
    return request.param
