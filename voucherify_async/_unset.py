"""The marker that tells "leave this alone" from "set this to null"."""

from __future__ import annotations

from enum import Enum
from typing import Final, Literal


class Unset(Enum):
    """The type of [UNSET][voucherify_async.UNSET], for annotations."""

    # orjson writes an Enum as its value; one that JSON has no type for cannot slip into a body.
    UNSET = b"UNSET"

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET
"""The value of a request field that is not sent at all; ``None`` is sent as JSON null."""
