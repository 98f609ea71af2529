"""Which frames of a traceback are the library's own, wherever the checkout lies."""

from __future__ import annotations

from pathlib import Path
from types import FrameType

import voucherify_async

_PACKAGE = Path(voucherify_async.__file__).parent


def is_own(frame: FrameType) -> bool:
    """Whether a frame runs code of the library, and not of its embedded server."""
    path = Path(frame.f_code.co_filename)
    return path.is_relative_to(_PACKAGE) and not path.is_relative_to(_PACKAGE / "testing")
