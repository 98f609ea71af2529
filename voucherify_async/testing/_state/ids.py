"""Identifiers in the API's shapes: the same ones in every run with the same seed."""

from __future__ import annotations

import itertools
import random
import string

ALPHANUMERIC = string.digits + string.ascii_letters


class Ids:
    """A source of identifiers."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._sequence = itertools.count(0x0C9DCCC4D5813E71BD)

    def text(self, length: int, charset: str = ALPHANUMERIC) -> str:
        """Return random text, for codes, tokens and long identifiers."""
        return "".join(self._random.choices(charset, k=length))

    def long(self, prefix: str, length: int) -> str:
        """Return an identifier of random letters and digits, such as ``v_`` + 32 of them."""
        return f"{prefix}_{self.text(length)}"

    def ordered(self, prefix: str) -> str:
        """Return an identifier that sorts after every earlier one, such as ``vtx_0c9d…``."""
        return f"{prefix}_{next(self._sequence):018x}"

    def request(self) -> str:
        """Return the identifier of a request."""
        return f"v-{next(self._sequence):018x}"
