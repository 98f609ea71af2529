"""Locks of validation sessions: a use, the credits or the points are held until a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

DEFAULT_TTL = (7, "DAYS")
_SECONDS = {
    "DAYS": 86_400.0,
    "HOURS": 3_600.0,
    "MINUTES": 60.0,
    "SECONDS": 1.0,
    "MILLISECONDS": 1e-3,
    "MICROSECONDS": 1e-6,
    "NANOSECONDS": 1e-9,
}
TTL_UNITS = tuple(_SECONDS)


@dataclass(frozen=True, slots=True)
class Lock:
    """One use of a redeemable, and what it held of the balance, until a moment."""

    key: str
    resource: str
    amount: int
    ends: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """What locks hold of a redeemable."""

    uses: int = 0
    amount: int = 0


NOTHING_HELD = Held()


def lifetime(ttl: float, unit: str) -> timedelta:
    """Return how long a session lasts."""
    return timedelta(seconds=ttl * _SECONDS[unit])


class Locks:
    """Every lock; one that ended is as good as none."""

    def __init__(self) -> None:
        self._locks: list[Lock] = []

    def hold(self, lock: Lock) -> None:
        """Add a lock, in the place of one with the same key for the same redeemable."""
        self.release(lock.key, lock.resource)
        self._locks.append(lock)

    def held(self, resource: str, now: datetime, *, besides: str | None = None) -> Held:
        """Return what sessions hold of a redeemable, without that with the key ``besides``."""
        self._locks = [lock for lock in self._locks if lock.ends > now]
        found = [lock for lock in self._locks if lock.resource == resource and lock.key != besides]
        return Held(len(found), sum(lock.amount for lock in found))

    def is_open(self, key: str, resource: str, now: datetime) -> bool:
        """Tell whether a session holds a redeemable."""
        return any(
            lock.key == key and lock.resource == resource and lock.ends > now
            for lock in self._locks
        )

    def release(self, key: str, resource: str | None = None) -> None:
        """End a session: for one redeemable, or as a whole."""
        self._locks = [
            lock
            for lock in self._locks
            if lock.key != key or (resource is not None and lock.resource != resource)
        ]
